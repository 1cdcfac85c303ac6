//go:build !race

package tenant

import (
	"path"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that the same settings get the same warnings and mistakes in the same order: a script
// compares what check prints.
func TestOrderOfWhatIsSaid(t *testing.T) {
	said := func(settings string) (all []string) {
		s, err := fromYAML(t, settings)
		if err != nil {
			for _, m := range mistakesOf(t, err) {
				all = append(all, path.Ext(m.Where)+" "+m.What) // each file has a folder of its own
			}
		}
		return append(all, s.Warnings...)
	}
	for _, settings := range []string{
		yamlTwilio + `}
    texts:
      ask_registration: "{{.Name}}: a new account? Reply {{.Answer}} or {{.Denial}}."
      both_registration: "{{.Name}}: a new account? {{.Answer}} or {{.Denial}} or {{.Link}} now"
`,
		yamlTwilio + ", senders: {US: ACME}, links_senders: {US: ACME}}\n    answer: tap\n" +
			"    links_work: [DK]\n",
	} {
		first := said(settings)
		require.Greater(t, len(first), 1, "%v", first)
		for range 50 {
			require.Equal(t, first, said(settings))
		}
	}
}
