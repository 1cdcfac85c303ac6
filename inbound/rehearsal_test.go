package inbound_test

import (
	"context"
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/inbound/inboundtest"
	"smsbridge/internal/mail"
	"smsbridge/internal/rehearsal"
	"smsbridge/internal/store"
)

// Ensure that the page of a rehearsal's link says so to the bridge that opens it, and records that,
// once. A ticket that is made up finds nothing, and leaves nothing behind.
func TestPageOfRehearsal(t *testing.T) {
	inboundtest.Each(t, func(t *testing.T, b *inboundtest.Bridge) {
		phone := inboundtest.Number(t, inboundtest.Phone)
		var l rehearsal.Letter
		b.Do(t, func(ctx context.Context, tx *store.Tx) (err error) {
			acme := b.Inbound.Settings.Tenants.All()[0]
			if l, err = rehearsal.Write(tx, acme, phone, b.URL, b.Now); err != nil {
				return err
			}
			_, err = mail.Take(ctx, tx, mail.Pack(b.Store, mail.Delivery{
				Tenant: "acme", Recipients: []mail.Recipient{mail.To(phone, l.To)}, Token: "a",
				PostedAt: b.Now, MessageID: l.MessageID, KeepBody: true,
			}))
			return err
		})
		before := b.Rows(t)
		get := func(link string) inboundtest.Response {
			r, err := http.NewRequest(http.MethodGet, link, nil)
			require.NoError(t, err)
			return b.Send(t, r)
		}
		link := regexp.MustCompile(`http://\S+`).FindString(l.MIME)
		for _, forged := range []string{b.URL + "/rehearsal", b.URL + "/rehearsal?ticket=acme~a~b",
			link + "x", b.URL + "/rehearsal?ticket=%00"} {
			require.Equal(t, http.StatusNotFound, get(forged).StatusCode, forged)
		}
		require.Equal(t, before, b.Rows(t))
		res := get(link)
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.Contains(t, res.Body, "Your email address has been verified.")
		require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
		get(link)
		before["event"]++
		require.Equal(t, before, b.Rows(t))
		b.Lines(t)
	})
}
