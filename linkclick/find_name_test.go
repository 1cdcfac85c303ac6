package linkclick

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that every mail is understood alike whatever the application is called. These names hold
// words that forbid a link, that say another kind, or that announce a code or another number.
func TestNameOfTheApplication(t *testing.T) {
	files, err := filepath.Glob(corpus)
	require.NoError(t, err)
	played := 0
	for _, file := range files {
		c := readCase(t, file)
		m, err := ReadMIME(bytes.NewReader(c.mail))
		require.NoError(t, err)
		if !strings.Contains(m.Subject+m.Text+m.HTML, "ACME") {
			continue
		}
		played++
		for _, name := range []string{"TransferGo", "Blocket", "Recovery Centre", "Kodak", "Orderly"} {
			called := strings.NewReplacer("ACME", name)
			named := m
			named.Subject, named.From = called.Replace(m.Subject), called.Replace(m.From)
			named.Text, named.HTML = called.Replace(m.Text), called.Replace(m.HTML)
			c.rule.Name = name
			f := Find(named, c.rule)
			require.Equal(t, []string{string(c.kind), c.url, c.code},
				[]string{string(f.Kind), f.URL, f.Code}, "%s: %s: %+v", file, name, f.Candidates)
		}
	}
	require.Greater(t, played, 400)
}

func TestWithoutName(t *testing.T) {
	for name, words := range map[string][2]string{
		"TransferGo":  {"TransferGo: welcome to TransferGo!", "ACME: welcome to ACME!"},
		" Delete Me ": {"Delete Me and delete me, Delete Meat", "ACME and delete me, Delete Meat"},
		"Kodak":       {"Kodaks, (Kodak) MyKodak Kodak", "Kodaks, (ACME) MyKodak ACME"},
		"Block":       {"Block this sign-in to Block", "Block this sign-in to Block"},
		"Code":        {"Your Code code: 1", "Your Code code: 1"},
		"Verify":      {"Verify your address", "Verify your address"},
		"":            {"Welcome", "Welcome"},
	} {
		require.Equal(t, words[1], Rule{Name: name}.withoutName()(words[0]), name)
	}
}

// Ensure that a page is understood whatever the application is called.
func TestNameOnAPage(t *testing.T) {
	for text, want := range map[string]Outcome{
		"Your Payment Hub account is verified.":                       OutcomeConfirmed,
		"In Order Desk, your email has been verified.":                OutcomeConfirmed,
		"Payment Hub: this link has expired.":                         OutcomeExpired,
		"Your payment method is verified.":                            OutcomeUnknown,
		"Your order is verified.":                                     OutcomeUnknown,
		"Your email for Cookie Jar, Inc. will be verified in a while": OutcomeUnknown,
	} {
		for _, name := range []string{"Payment Hub", "Order Desk", "Cookie Jar"} {
			if strings.Contains(text, name) || want == OutcomeUnknown {
				k := &click{Clicker: &Clicker{Rule: Rule{Name: name}}}
				require.Equal(t, want, k.hear(text, true), text)
			}
		}
	}
}
