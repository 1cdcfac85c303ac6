package linkclick

import "strings"

// This file brings words into the form in which all tables of this package hold theirs.

// words returns s in plain form without its URLs, which are read by their shape and not as words.
func words(s string) string {
	var kept []string
	for _, w := range strings.Fields(plain(s)) {
		if !strings.Contains(w, "://") {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}

// plain returns s in lower case with single spaces, straight quotes and "email" for "e-mail".
func plain(s string) string {
	s = strings.ToLower(typeset.Replace(s))
	return spelling.Replace(strings.Join(strings.Fields(s), " "))
}

var (
	typeset = strings.NewReplacer(
		"’", "'", "‘", "'", "\u00a0", " ", "\u00ad", "", "\u200b", "", "‑", "-",
	)
	spelling = strings.NewReplacer("e-mail", "email", "e-post", "epost")
)
