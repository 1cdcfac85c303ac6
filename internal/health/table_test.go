package health_test

import (
	"fmt"
	"strings"
	"time"

	"smsbridge/internal/health"
)

// table is what docs/HEALTH.md says of the kinds.
func table() string {
	var text strings.Builder
	text.WriteString(
		"| code | severity | each | what is wrong | what to do | raised | hidden behind |\n" +
			"|---|---|---|---|---|---|---|\n")
	for _, k := range health.Kinds() {
		raised := "at once"
		switch {
		case k.For >= time.Minute && k.Times > 2:
			raised = fmt.Sprintf("after %d times in %d minutes or more", k.Times,
				int(k.For.Minutes()))
		case k.For > 0:
			raised = fmt.Sprintf("after %d seconds", int(k.For.Seconds()))
		case k.Times > 1:
			raised = fmt.Sprintf("after %d times", k.Times)
		}
		var behind []string
		for _, cause := range k.Behind {
			behind = append(behind, "`"+string(cause)+"`")
		}
		fmt.Fprintf(&text, "| `%s` | %s | %s | %s | %s | %s | %s |\n", k.Code, k.Severity, k.Of, k.What,
			k.Remedy, raised, strings.Join(behind, ", "))
	}
	return text.String()
}
