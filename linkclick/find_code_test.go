package linkclick

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFindCode(t *testing.T) {
	for _, tt := range []struct {
		want  string
		texts []string
	}{
		// Announced, in any language.
		{"583920", []string{
			"Your code is 583920.", "Code: 583920", "583920 is your ACME code",
			"Your one-time password: 583920", "Din kode er 583920", "Din kod är 583920",
			"Ihr Bestätigungscode lautet 583920", "Votre code est 583920", "Tu código es 583920",
			"Il codice è 583920", "認証コードは583920です", "確認番号：583920",
			"您的验证码为583920", "Ваш код: 583920", "583920 — ваш код",
			"Twój kod to 583920",
		}},
		{"5839", []string{"Your PIN is 5839"}},
		{"", []string{"G-583920 is your code"}},
		// Alone on a line.
		{"583920", []string{
			"Code\n\n583920\n", "Type this code:\n*583920*", "Your code\n583 920", "Your code\n583-920",
			"Your code\n5 8 3 9 2 0", "Your code\n5\n8\n3\n9\n2\n0\n", "Use the code.\n\nHello\n583920",
		}},
		{"12345678", []string{"Your code\n1234 5678"}},
		{"", []string{"583920"}},
		// Letters.
		{"KXWPQR", []string{"Your code: KXWPQR", "Your code:\nKXWPQR"}},
		{"K7X2PQ", []string{"(Code K7X2PQ)"}},
		{"k7x2pq", []string{"Your code is k7x2pq"}},
		{"ABCD-2931", []string{"Your code is ABCD-2931"}},
		{"", []string{"Your code IS VALID for ten minutes", "Your code is iPhone15", "Your code\nACME"}},
		{"583920", []string{"ACME\nYour code: 583920", "Code: HELLO\n583920"}},
		// Lengths.
		{"", []string{"Your code: 583", "Your code: 58392011447"}},
		{"5839", []string{"Your code: 5839"}},
		{"5839201144", []string{"Your code: 5839201144"}},
		// What is none.
		{"", []string{
			"Your code: 2026", "Your code: 1999", "Your code of 12/05/2026", "Your code of 2026-05-12",
			"Code valid 1440 minutes", "Your code costs 1299 kr", "Your code costs $1299",
			"Your code: +4512345678", "Your code? Call 555-0199", "Your code? Tel. 33 12 34 56",
			"Your code? Ring 33123456, telefon 33123456", "Promo code: 583920", "Rabattcode 583920",
			"クーポンコード：583920", "промокод 583920", "Zip code 10587",
			"Error code 5001", "Order 583920", "Your code is in order 583920", "注文番号：583920",
			"https://a.example/code/583920", "code www.a.example/583920", "code a583920@b.example",
			"code file.583920", "code 583920.example", "code x=583920", "Code 583920%",
			"Order number\n583920\nYour code",
		}},
		{"583920", []string{
			"In order to go on use code 583920", "Use code 583920 in order to go on", "Order code\n583920",
		}},
		// More than one.
		{"", []string{"Code: 583920 or code 111111", "The code\n\nHi\n583920\n\nHi\n111111"}},
		{"583920", []string{"Code: 583920\nCode: 583920", "Code: 583920\n\n111111"}},
	} {
		for _, text := range tt.texts {
			code, context := findCode("", text)
			if code != tt.want || (code == "") != (context == "") {
				t.Errorf("%q: found %q in %q, want %q", text, code, context, tt.want)
			}
		}
	}
	code, _ := findCode("583920 is your code", "Hello")
	require.Equal(t, "583920", code)
	code, _ = findCode("Your code", "Hello\n583920\nBye", "Hello\n583920\n")
	require.Equal(t, "583920", code)
}

// A code is never a part of something longer, and has the form of one.
func FuzzFindCode(f *testing.F) {
	f.Add("Your code", "Code: 583920 or\n5\n8\n3\n9\nKXWPQR (Code K7X2PQ) 583-920")
	f.Add("", "認証コード：５８３９20 код: 12345\xff6")
	f.Fuzz(func(t *testing.T, subject, text string) {
		code, _ := findCode(subject, text)
		if code == "" {
			return
		}
		if plain := strings.ReplaceAll(code, "-", ""); !isCode(plain) {
			t.Fatalf("%q is no code", code)
		}
		if compact := strings.NewReplacer(" ", "", "-", "", "\n", "", "\u00a0", "", "‑", "", "\r", "",
			"\t", "").Replace(subject + "\n" + text); !strings.Contains(compact, strings.ReplaceAll(code,
			"-", "")) &&
			strings.IndexFunc(subject+text, func(r rune) bool { return r > 0x7f || r < ' ' }) < 0 {
			t.Fatalf("%q is not in the mail", code)
		}
	})
}
