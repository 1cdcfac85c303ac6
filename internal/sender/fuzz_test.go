package sender_test

import (
	"fmt"
	"io"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"smsbridge/internal/sender"

	"github.com/emersion/go-msgauth/dkim"
)

// fuzzed is Mailgun's time stamp of all fuzzed mails: the same in every process of a run.
func fuzzed() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

// signedOnce are all the mails that the holder of the key has ever signed.
func signedOnce() []draft {
	mail := genuine().on(fuzzed())
	return []draft{
		mail,
		mail.set("Subject", "Subject: Verify\r\n your address"),
		mail.set("From", "From: no-reply@id.acme.example"),
		{mail.fields, "--b\r\n\r\n" + link + "\r\n--b--\r\n"},
	}
}

// essence is what a mail says in the five fields and the body, without the blanks, which relaxed
// signatures do not cover. It is read by another parser than the gate's.
func essence(raw string) (string, bool) {
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return "", false
	}
	var all []string
	for _, name := range []string{"From", "To", "Subject", "Date", "Message-Id"} {
		values := m.Header[name]
		if len(values) != 1 {
			return "", false
		}
		all = append(all, values[0])
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return "", false
	}
	return strings.Join(strings.Fields(strings.Join(all, "\x00")+"\x00"+string(body)), ""), true
}

// FuzzDKIM changes mails. None passes whose five fields and body are not those of a mail that the
// holder of the key signed.
func FuzzDKIM(f *testing.F) {
	stamp := fmt.Sprintf("t=%d", fuzzed().Unix())
	judge := func(raw string) (string, error) {
		m := deliver(raw)
		m.PostedAt = fuzzed()
		return sender.DKIM(m, domains(), world().look)
	}
	var signed []string
	for _, d := range signedOnce() {
		said, ok := essence(d.raw())
		if !ok {
			f.Fatal("a genuine mail cannot be read")
		}
		signed = append(signed, said)
		for _, c := range []dkim.Canonicalization{"simple", "relaxed"} {
			good := d.signed(tags(stamp), func(s *signing) { s.canonical = c })
			if _, err := judge(good); err != nil {
				f.Fatal("a genuine mail does not pass: ", err)
			}
			f.Add(good)
			f.Add(top(good, "From: evil@evil.example"))
		}
	}
	for _, part := range [][]hostile{aboutSignatures(), aboutFields(), aboutTheRest()} {
		for _, h := range part {
			if len(h.raw) < 4_000 && !strings.Contains(h.raw, "l=") {
				f.Add(h.raw)
			}
		}
	}
	f.Fuzz(func(t *testing.T, raw string) {
		from, err := judge(raw)
		_ = sender.Mailgun(deliver(raw), domains())
		sender.Signers(raw)
		if err != nil {
			if from != "" {
				t.Fatalf("a refused mail proves %q", from)
			}
			return
		}
		said, ok := essence(raw)
		if !ok || !slices.Contains(signed, said) {
			t.Fatalf("passed, and was never signed: %q", raw)
		}
	})
}
