//go:build !race

package reply_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"smsbridge/internal/challenge"
	"smsbridge/internal/reply"
	"smsbridge/internal/wording"
)

// Ensure that people are understood in their language, whatever language asked.
func TestAnswersOfEveryLanguage(t *testing.T) {
	for _, asked := range append(wording.Languages(), "") {
		for word, bodies := range map[reply.Word][]string{
			reply.Yes: {"ja", "Ja tak!", "JA, TAK.", "joo", "kyllä", "oui", "Oui, c’est moi", "sí", "sì",
				"sim", "да", "evet", "نعم", "haa", "có", "是", "はい", "ναι", "yes", "tak to ja", "это я"},
			reply.No: {"nej", "nein", "nee", "non", "não", "nie", "нет", "ні", "hayır", "HAYIR", "لا",
				"maya", "không", "否", "いいえ", "όχι", "nei", "ei"},
		} {
			for _, body := range bodies {
				got := reply.Read(body, reply.Words{Language: asked})
				require.Equal(t, reply.Reading{Word: word}, got, "%s asked in %q", body, asked)
				got = reply.Read(body+" 4821", reply.Words{Language: asked})
				if !strings.HasSuffix(body, "!") && !strings.HasSuffix(body, ".") {
					require.Equal(t, reply.Reading{Word: word, Code: "4821"}, got, body)
				}
			}
		}
		for _, body := range append(hostile(), hostileOfLanguages()...) {
			got := reply.Read(body, reply.Words{Language: asked}).Word
			if strings.TrimSpace(strings.ToLower(body)) == "si" || body == "da" || body == "tak" {
				continue // yes where the language says so; see below
			}
			require.NotEqual(t, reply.Yes, got, "%q asked in %q", body, asked)
		}
	}
	bodies := append(hostile(), hostileOfLanguages()...)
	slices.Sort(bodies)
	require.GreaterOrEqual(t, len(slices.Compact(bodies)), 500)
}

// hostileOfLanguages are replies with the words of each language that are no clear yes.
func hostileOfLanguages() (bodies []string) {
	for _, language := range wording.Languages() {
		yes, no := wording.Answer(language), wording.Denial(language)
		for _, body := range []string{
			"%s %s", "%s/%s", "%s? %s", "%s STOP %s", "%[2]s %[1]s", "Re: %s", "> %s", "%s 👍", "%s 12345",
			"%s…%s", "„%s“ (%s)", "%[1]s %[1]s %[1]s", "Loved “%s”", "x%s", "%sx",
		} {
			body = fmt.Sprintf(body, yes, no)
			body, _, _ = strings.Cut(body, "%!")
			bodies = append(bodies, body)
		}
	}
	return bodies
}

// unaccented writes a word as people do who leave out accents. The result is the word itself where
// that would be another word of the language.
func unaccented(language, word string) string {
	switch language + " " + word {
	case "sv nä", "vi dạ", "vi đúng", "vi dạ đúng": // such as "dùng", to use
		return word
	}
	switch language {
	case "ja", "ru", "uk": // whose marks make other sounds, and others of their letters
		return word
	}
	bare := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == 'ł':
			return 'l'
		case r == 'đ':
			return 'd'
		}
		return r
	}, norm.NFD.String(word))
	return norm.NFC.String(bare)
}

// Ensure that each word that the catalogue has for yes and no is an answer where its language
// asked, as people type it: in capitals, without accents, and with a full stop or blanks. Every
// language has fifteen.
func TestAnswersOfTheCatalogue(t *testing.T) {
	for _, language := range wording.Languages() {
		file, err := os.ReadFile("../wording/catalogue/" + language + ".arb")
		require.NoError(t, err)
		var words map[string]any
		require.NoError(t, json.Unmarshal(file, &words))
		accepted := 0
		for key, want := range map[string]reply.Word{
			"yes_words": reply.Yes, "yes_words_here": reply.Yes,
			"no_words": reply.No, "no_words_here": reply.No,
		} {
			list, _ := words[key].(string)
			for word := range strings.SplitSeq(list, ", ") {
				if word == "" {
					continue
				}
				capitals := strings.ToUpper(word)
				turkish := strings.ToUpperSpecial(unicode.TurkishCase, word)
				bare := unaccented(language, word)
				for _, body := range []string{word, capitals, turkish, bare, " " + word + ". "} {
					got := reply.Read(body, reply.Words{Language: language}).Word
					require.Equal(t, want, got, "%q asked in %s", body, language)
				}
				accepted++
			}
		}
		require.GreaterOrEqual(t, accepted, 15, language)
	}
}

// Ensure that a polite yes is a yes in every language whose people say please with one.
func TestPoliteAnswers(t *testing.T) {
	for language, body := range map[string]string{
		"ar": "نعم، من فضلك", "cs": "Ano, prosím.", "da": "Ja tak", "de": "Ja, bitte!",
		"el": "Ναι, παρακαλώ", "en": "Yes, please!", "es": "Sí, por favor", "fi": "Kyllä kiitos",
		"fr": "Oui, s’il vous plaît", "it": "Sì, per favore", "ja": "はい、お願いします", "nb": "Ja takk",
		"nl": "Ja graag", "pl": "Tak, poproszę", "pt": "Sim, por favor", "ro": "Da, vă rog",
		"ru": "Да, пожалуйста", "so": "Haa, fadlan", "sv": "Ja tack", "tr": "Evet, lütfen",
		"uk": "Так, будь ласка",
	} {
		for _, asked := range []string{language, ""} {
			require.Equal(t, reply.Yes, reply.Read(body, reply.Words{Language: asked}).Word, body)
		}
	}
	require.Equal(t, reply.Yes, reply.Read("yes thank you", reply.Words{}).Word)
}

// Ensure that a word which means something else in another language counts in the one language in
// which it is an answer.
func TestFalseFriends(t *testing.T) {
	for _, tt := range []struct {
		body string
		in   string // the languages in which it counts
		word reply.Word
	}{
		{"tak", "pl", reply.Yes},           // "thanks" in Danish
		{"da", "ro ru", reply.Yes},         // "then" in Danish
		{"si", "es fr it", reply.Yes},      // "and" in Romanian, written without its sign
		{"ano", "cs", reply.Yes},           // "year" in Portuguese
		{"так", "uk", reply.Yes},           // "so" in Russian
		{"nai", "el", reply.Yes},           // "no" in Japanese
		{"hai", "ja", reply.Yes},           // "you have" in Italian
		{"naam", "ar", reply.Yes},          // "name" in Dutch
		{"co", "vi", reply.Yes},            // "what" in Polish
		{"ne", "cs", reply.No},             // "yes" in Greek, in Latin letters
		{"nu", "ro", reply.No},             // "now" in Danish
		{"net", "ru", reply.No},            // a word of English
		{"la", "ar", reply.No},             // "there" in French
		{"yok", "tr", reply.No},            // "yoke", nearly
		{"t", "pl", reply.Yes},             // a slip of a finger
		{"y", "en", reply.Yes},             // "and" in Spanish
		{"j", "da de nb nl sv", reply.Yes}, // a slip of a finger
	} {
		for _, asked := range append(wording.Languages(), "") {
			want := reply.Other
			for _, language := range strings.Fields(tt.in) {
				if language == asked {
					want = tt.word
				}
			}
			if tt.body == "t" && asked == "uk" || tt.body == "y" && asked == "" {
				continue
			}
			require.Equal(t, want, reply.Read(tt.body, reply.Words{Language: asked}).Word,
				"%s asked in %q", tt.body, asked)
		}
	}
	for _, asked := range []string{"pl", "cs", "el"} { // "no" is "yeah" there, colloquially
		require.Equal(t, reply.Other, reply.Read("no", reply.Words{Language: asked}).Word, asked)
	}
	require.Equal(t, reply.No, reply.Read("no", reply.Words{Language: "es"}).Word)
}

// Ensure that a word answers a question only if it does in the language of that question, whatever
// else was asked in another one. Beside the code of the question, too.
func TestFalseFriendsBesideAnotherLanguage(t *testing.T) {
	each(t, func(b bridge) {
		phone := b.Phone()
		ask := func(recipient, link, language string) challenge.Challenge {
			q := signUp(phone, recipient, link, idp)
			q.Language = language
			id := b.askAbout("acme", q)
			require.True(b, b.deliver(id))
			return b.challenge(id)
		}
		danish := ask(to("acme", phone), victims, "da")
		polish := ask("A"+to("acme", phone)[1:], attackers, "pl")
		require.False(b, danish.Coded)
		require.True(b, polish.Coded)
		b.text(phone, "tak") // Danish for thanks, Polish for yes
		b.text(phone, "tak "+danish.ReplyCode)
		require.Equal(b, "open", b.state(danish.ID))
		require.Equal(b, "open", b.state(polish.ID))
		b.text(phone, "tak "+polish.ReplyCode)
		require.Equal(b, "accepted", b.state(polish.ID))
		romanian := ask("aC"+to("acme", phone)[2:], attackers, "ro")
		b.text(phone, "nu") // Danish for now, Romanian for no
		require.Equal(b, "open", b.state(danish.ID))
		b.text(phone, "nu "+romanian.ReplyCode)
		require.Equal(b, "denied", b.state(romanian.ID))
		b.text(phone, "ja")
		require.Equal(b, "accepted", b.state(danish.ID))
	})
}

// Ensure that the digits of an Arabic keyboard are digits.
func TestDigitsOfOtherKeyboards(t *testing.T) {
	words := reply.Words{Language: "ar"}
	for typed, want := range map[string]reply.Reading{
		"نعم ٤٨٢١": {Word: reply.Yes, Code: "4821"}, "۴۸۲۹۱۳": {Word: reply.Code, Code: "482913"},
		"لا ４８２１": {Word: reply.No, Code: "4821"}, "٤٨٢": {Word: reply.Other},
	} {
		require.Equal(t, want, reply.Read(typed, words), typed)
	}
}

// Ensure that the code follows right after an answer in scripts that have no blanks, and in no
// others.
func TestCodesWithoutABlank(t *testing.T) {
	for _, language := range []string{"ja", "zh"} {
		words := reply.Words{Language: language}
		for body, want := range map[string]reply.Word{
			wording.Answer(language): reply.Yes, wording.Denial(language): reply.No, "ハイ": reply.Yes,
		} {
			require.Equal(t, reply.Reading{Word: want, Code: "4821"}, reply.Read(body+"4821", words), body)
			require.Equal(t, want, reply.Read(body+"４８２１。", words).Word, body)
			for _, code := range []string{"482", "48211", "4821は", "48-21"} {
				require.Equal(t, reply.Other, reply.Read(body+code, words).Word, body+code)
			}
		}
	}
	for _, body := range []string{"はいYES4821", "YES4821", "да4821", "نعم4821", "ไม่4821", "好4821"} {
		require.Equal(t, reply.Other, reply.Read(body, reply.Words{}).Word, body)
	}
}
