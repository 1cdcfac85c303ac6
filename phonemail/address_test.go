package phonemail_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"smsbridge/phonemail"
)

func ExampleScheme() {
	acme := phonemail.Scheme{Prefix: "acme", Domain: "sms.acme.example"}
	n, err := acme.Number("acme+4512345678@sms.acme.example")
	fmt.Println(n, err)
	fmt.Println(acme.Address(n))
	// Output:
	// +45******78 <nil>
	// acme+4512345678@sms.acme.example
}

func TestSchemeNumber(t *testing.T) {
	acme := phonemail.Scheme{Prefix: "acme", Domain: "sms.acme.example"}
	for _, tt := range []struct {
		address string
		want    error
	}{
		{"acme+4512345678@sms.acme.example", nil},
		{"ACME+4512345678@SMS.Acme.Example", nil},

		{"beta+4512345678@sms.acme.example", phonemail.ErrNotOurs},
		{"acme2+4512345678@sms.acme.example", phonemail.ErrNotOurs},
		{"acme+4512345678@sms.beta.example", phonemail.ErrNotOurs},
		{"acme+4512345678@acme.example", phonemail.ErrNotOurs},
		{"acme+4512345678@sms.acme.example.", phonemail.ErrNotOurs},
		{"acme+4512345678@sms.acme.example@evil.example", phonemail.ErrNotOurs},
		{"acme+4512345678", phonemail.ErrNotOurs},
		{"acme4512345678@sms.acme.example", phonemail.ErrNotOurs},
		{"+4512345678@sms.acme.example", phonemail.ErrNotOurs},
		{"acme+4520123456+4512345678@sms.acme.example", phonemail.ErrNotOurs},
		{`"acme+4512345678"@sms.acme.example`, phonemail.ErrNotOurs},
		{"Acme <acme+4512345678@sms.acme.example>", phonemail.ErrNotOurs},
		{"<acme+4512345678@sms.acme.example>", phonemail.ErrNotOurs},
		{"acme(hi)+4512345678@sms.acme.example", phonemail.ErrNotOurs},
		{" acme+4512345678@sms.acme.example", phonemail.ErrNotOurs},
		{"acme+4512345678@sms.acme.example\n", phonemail.ErrNotOurs},
		{"acme+4512345678@sms.acme.example,acme+4520123456@sms.acme.example", phonemail.ErrNotOurs},
		{"acme%2B4512345678@sms.acme.example", phonemail.ErrNotOurs},
		{"acme\uff0b4512345678@sms.acme.example", phonemail.ErrNotOurs},
		{"", phonemail.ErrNotOurs},

		{"acme+@sms.acme.example", phonemail.ErrNumber},
		{"acme+0512345678@sms.acme.example", phonemail.ErrNumber},
		{"acme+451234@sms.acme.example", phonemail.ErrNumber},
		{"acme+4512345678901234@sms.acme.example", phonemail.ErrNumber},
		{"acme+45.12345678@sms.acme.example", phonemail.ErrNumber},
		{"acme+4512345678%evil.example@sms.acme.example", phonemail.ErrNumber},
		{"acme+4512345678(hi)@sms.acme.example", phonemail.ErrNumber},
		{"acme+4512345678 @sms.acme.example", phonemail.ErrNumber},
		{"acme+45\u06612345678@sms.acme.example", phonemail.ErrNumber},
		{"acme+" + strings.Repeat("4", 80) + "@sms.acme.example", phonemail.ErrNumber},
	} {
		n, err := acme.Number(tt.address)
		require.ErrorIs(t, err, tt.want, "%q", tt.address)
		if tt.want != nil {
			require.Zero(t, n)
			require.NotContains(t, err.Error(), "123456")
			continue
		}
		require.Equal(t, "+4512345678", n.E164())
	}
}

// The Kelvin sign is a k for Unicode case folding, but no mail server's.
func TestSchemeNumberFoldsASCIIOnly(t *testing.T) {
	kite := phonemail.Scheme{Prefix: "kite", Domain: "kite.example"}
	for _, address := range []string{"\u212aite+4512345678@kite.example",
		"kite+4512345678@\u212aite.example"} {
		_, err := kite.Number(address)
		require.ErrorIs(t, err, phonemail.ErrNotOurs)
	}
}

func TestAddressOfNoNumber(t *testing.T) {
	require.Empty(t, phonemail.Scheme{Prefix: "acme",
		Domain: "sms.acme.example"}.Address(phonemail.Number{}))
}

func TestParseAddress(t *testing.T) {
	scheme, n, err := phonemail.ParseAddress("Any-1.x_y+15005550006@Sms.Example.COM")
	require.NoError(t, err)
	require.Equal(t, phonemail.Scheme{Prefix: "any-1.x_y", Domain: "sms.example.com"}, scheme)
	require.Equal(t, "+15005550006", n.E164())

	_, _, err = phonemail.ParseAddress("person@example.com")
	require.ErrorIs(t, err, phonemail.ErrNotOurs)
	_, _, err = phonemail.ParseAddress("acme+12@example.com")
	require.ErrorIs(t, err, phonemail.ErrNumber)
}

func TestValidPrefixAndDomain(t *testing.T) {
	for _, s := range []string{"a", "acme", "0", "a.b-c_d", strings.Repeat("a", 32)} {
		require.True(t, phonemail.ValidPrefix(s), s)
	}
	for _, s := range []string{"", ".a", "-a", "_a", "a..b", "a+b", "a b", "a@b", "\u00e6",
		strings.Repeat("a", 33)} {
		require.False(t, phonemail.ValidPrefix(s), s)
	}
	long := strings.Repeat(strings.Repeat("a", 62)+".", 4)
	for _, s := range []string{"a.b", "sms.acme.example", "xn--bcher-kva.example", "1.2",
		long + "abc", strings.Repeat("a", 63) + ".b"} {
		require.True(t, phonemail.ValidDomain(s), s)
	}
	for _, s := range []string{
		"", "localhost", ".", "a.", ".a", "a..b", "-a.b", "a-.b", "a_b.c", "[127.0.0.1]",
		"b\u00fccher.example",
		"a.b/c", "a.b:25", strings.Repeat("a", 64) + ".b", long + "abcd",
	} {
		require.False(t, phonemail.ValidDomain(s), s)
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scheme := phonemail.Scheme{
			Prefix: rapid.StringMatching(`[a-z0-9]([._-]?[a-z0-9]){0,15}`).Draw(t, "prefix"),
			Domain: rapid.StringMatching(`[a-z0-9]{1,20}(\.[a-z0-9]{1,20}){1,3}`).Draw(t, "domain"),
		}
		// Countries whose numbers have a fixed length, so that most draws are possible.
		number := rapid.StringMatching(`\+(45[2-9]\d{7}|4670\d{7}|1206[2-9]\d{6}`+
			`|3366\d{7}|390612\d{6})`).Draw(t, "number")
		n, err := phonemail.ParseNumber(number)
		if err != nil {
			t.Fatalf("parse: %v", err)
		}

		address := scheme.Address(n)
		for _, a := range []string{address, strings.ToUpper(address)} {
			got, err := scheme.Number(a)
			if err != nil || got != n {
				t.Fatalf("Number(%q) = %v, %v", a, got, err)
			}
			gotScheme, got, err := phonemail.ParseAddress(a)
			if err != nil || got != n || gotScheme != scheme {
				t.Fatalf("ParseAddress(%q) = %v, %v, %v", a, gotScheme, got, err)
			}
		}
	})
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"acme+4512345678@sms.acme.example", "a+b+15005550006@x.y", `"a"+1@x.y`, "a+1%2@x.y", "@", "+@.",
		"\u212a+4512345678@x.y",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, address string) {
		scheme, n, err := phonemail.ParseAddress(address)
		if err != nil {
			require.Zero(t, n)
			require.Zero(t, scheme)
			return
		}
		require.Equal(t, strings.ToLower(address), scheme.Address(n),
			"an address has one spelling but for capitals")
		again, err := scheme.Number(address)
		require.NoError(t, err)
		require.Equal(t, n, again)
		require.LessOrEqual(t, strings.IndexByte(address, '@'), 64)
	})
}
