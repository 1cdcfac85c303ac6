package mail_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/mail"
	"smsbridge/internal/store"
)

// Ensure that a new mail is recorded, sealed, and waits for its examination with all that came
// with it.
func TestTakeNew(t *testing.T) {
	each(t, func(b bridge) {
		d := b.delivery(1)
		require.Equal(b, mail.New, b.take(d))
		ids := b.ids(d.Recipients[0].Phone)
		require.Len(b, ids, 1)
		require.Equal(b, 1, b.Jobs("examine_mail", ids[0]))

		row := b.row(ids[0])
		require.EqualValues(b, "received", row.State)
		require.Equal(b, b.Now(), row.ReceivedAt.Time)
		require.NotEmpty(b, row.Packed)
		require.NotContains(b, string(row.Packed), "very-secret", "the body is sealed")

		m, waits := b.pending(ids[0])
		require.True(b, waits)
		require.Equal(b, mail.Mail{
			ID: ids[0], Tenant: "acme", Phone: d.Recipients[0].Phone,
			Recipient: d.Recipients[0].Address, MessageID: d.MessageID, MessageURL: d.MessageURL,
			PostedAt: d.PostedAt, Body: d.Body, HasBody: true,
		}, m)
	})
}

// Ensure that a delivery counts once: by its token with the same content, by its Message-Id under
// whatever token, for each phone and tenant apart; and that a token that comes back with another
// content changes nothing.
func TestTakeAgain(t *testing.T) {
	each(t, func(b bridge) {
		tests := []struct {
			name   string
			phones int
			change func(d *mail.Delivery)
			taken  mail.Taken
			mails  int // of the first phone
		}{
			{"the same again", 1, func(*mail.Delivery) {}, mail.Duplicate, 1},
			{"posted again later", 1, func(d *mail.Delivery) { d.PostedAt = b.Now() }, mail.Duplicate, 1},
			{"its Message-Id under a fresh token", 1, func(d *mail.Delivery) {
				d.Token += "fresh"
			}, mail.Duplicate, 1},
			{"its Message-Id under a fresh token with another body", 1, func(d *mail.Delivery) {
				d.Token += "fresh"
				d.Body.Text = "x"
			}, mail.Duplicate, 1},
			{"its token with another body", 1, func(d *mail.Delivery) {
				d.Body.HTML = "<p>Other</p>"
			}, mail.Reused, 1},
			{"its token with another MIME body", 1, func(d *mail.Delivery) {
				d.Body.MIME = "x"
			}, mail.Reused, 1},
			{"its token with another Message-Id", 1, func(d *mail.Delivery) {
				d.MessageID = "other@idp.example"
			}, mail.Reused, 1},
			{"its token with another address of the stored mail", 1, func(d *mail.Delivery) {
				d.MessageURL += "2"
			}, mail.Reused, 1},
			{"its token for another phone", 1, func(d *mail.Delivery) {
				d.Recipients = b.delivery(1).Recipients
			}, mail.Reused, 1},
			{"its token for fewer phones", 2, func(d *mail.Delivery) {
				d.Recipients = d.Recipients[:1]
			}, mail.Reused, 1},
			{"its token at another tenant", 1, func(d *mail.Delivery) { d.Tenant = "beta" },
				mail.Reused, 1},
			{"its token, signed with another key", 1, func(d *mail.Delivery) {
				d.Tenant, d.Signer = "beta", "other"
			}, mail.New, 2},
			{"another mail", 1, func(d *mail.Delivery) {
				d.Token += "fresh"
				d.MessageID = "another@idp.example"
			}, mail.New, 2},
			{"for one more phone", 1, func(d *mail.Delivery) {
				d.Token += "fresh"
				d.Recipients = append(b.delivery(1).Recipients, d.Recipients...)
			}, mail.New, 1},
			{"without Message-Id, the same token", 1, func(d *mail.Delivery) {
				d.MessageID = ""
			}, mail.Reused, 1},
			{"without Message-Id, a fresh token", 1, func(d *mail.Delivery) {
				d.MessageID = ""
				d.Token += "fresh"
			}, mail.New, 2},
		}
		for _, test := range tests {
			b.run(test.name, func(b bridge) {
				d := b.delivery(test.phones)
				require.Equal(b, mail.New, b.take(d))
				first := d.Recipients[0].Phone
				jobs := b.Count("river_job")
				rows := b.Count("mail")
				test.change(&d)
				require.Equal(b, test.taken, b.take(d))
				require.Len(b, b.ids(first), test.mails)
				require.Equal(b, test.taken == mail.New, b.Count("mail") == rows+1)
				require.Equal(b, b.Count("mail")-rows, b.Count("river_job")-jobs,
					"one examination for each mail")
				require.Contains(b, []mail.Taken{mail.Duplicate, mail.Reused}, b.take(d),
					"the second time it is known")
			})
		}
		b.run("without Message-Id twice under one token", func(b bridge) {
			d := b.delivery(1)
			d.MessageID = ""
			require.Equal(b, mail.New, b.take(d))
			require.Equal(b, mail.Duplicate, b.take(d))
			require.Len(b, b.ids(d.Recipients[0].Phone), 1)
			d.Token += "fresh"
			require.Equal(b, mail.New, b.take(d), "nothing shows that it is the same mail")
			require.Len(b, b.ids(d.Recipients[0].Phone), 2)
		})
	})
}

// Ensure that each recipient of a mail gets a question of its own, once even when named twice.
func TestTakeSeveralRecipients(t *testing.T) {
	each(t, func(b bridge) {
		d := b.delivery(3)
		d.Recipients = append(d.Recipients, d.Recipients[0])
		require.Equal(b, mail.New, b.take(d))
		for _, to := range d.Recipients {
			ids := b.ids(to.Phone)
			require.Len(b, ids, 1)
			require.Equal(b, 1, b.Jobs("examine_mail", ids[0]))
			m, _ := b.pending(ids[0])
			require.Equal(b, to.Phone, m.Phone)
			require.Equal(b, to.Address, m.Recipient)
			require.Equal(b, d.Body, m.Body)
		}
	})
}

// Ensure that of racing deliveries of one mail, under one token or several, one is new.
func TestTakeRace(t *testing.T) {
	each(t, func(b bridge) {
		for _, fresh := range []bool{false, true} {
			for range 5 {
				d := b.delivery(2)
				var (
					taken [4]mail.Taken
					takes []func(context.Context, *store.Tx) error
				)
				for i := range taken {
					d := d
					if fresh {
						d.Token += string(rune('a' + i))
					}
					if i%2 == 1 && fresh {
						d.Recipients = []mail.Recipient{d.Recipients[1], d.Recipients[0]}
					}
					takes = append(takes, func(ctx context.Context, tx *store.Tx) (err error) {
						taken[i], err = mail.Take(ctx, tx, mail.Pack(b.Store, d))
						return err
					})
				}
				require.NoError(b, errors.Join(b.AtOnce(takes...)...))
				require.NotContains(b, taken, mail.Reused)
				require.Len(b, b.ids(d.Recipients[0].Phone), 1)
				require.Len(b, b.ids(d.Recipients[1].Phone), 1)
			}
		}
	})
}

// Ensure that of a mail that Mailgun keeps no body is stored, and that a body that cannot be
// opened any more counts as none.
func TestBodyThatIsNotHere(t *testing.T) {
	each(t, func(b bridge) {
		d := b.delivery(1)
		d.KeepBody = false
		require.Equal(b, mail.New, b.take(d))
		id := b.ids(d.Recipients[0].Phone)[0]
		require.Empty(b, b.row(id).Packed)
		m, waits := b.pending(id)
		require.True(b, waits)
		require.False(b, m.HasBody)
		require.Equal(b, mail.Body{}, m.Body)
		require.Equal(b, d.MessageURL, m.MessageURL)

		other, foreign := b.received(), b.received()
		b.Exec("UPDATE mail SET packed = $1 WHERE id = $2", b.row(other.ID).Packed, foreign.ID)
		m, waits = b.pending(foreign.ID)
		require.True(b, waits)
		require.False(b, m.HasBody, "another row's body does not open")
	})
}

// Ensure that a body which an older version kept, sealed as JSON, is read, and that no body stays
// once its mail was examined.
func TestBodyOfAnOlderVersion(t *testing.T) {
	each(t, func(b bridge) {
		id := b.received().ID
		var sealed string
		b.Do(func(_ context.Context, tx *store.Tx) error {
			p := store.Place{Table: "mail", ID: id, Column: "body", Tenant: "acme"}
			sealed = tx.Seal(p, []byte(`{"subject":"Verify","html":"<p>old"}`))
			return nil
		})
		b.Exec("UPDATE mail SET packed = NULL, body = $1 WHERE id = $2", sealed, id)
		m, waits := b.pending(id)
		require.True(b, waits)
		require.True(b, m.HasBody)
		require.Equal(b, mail.Body{Subject: "Verify", HTML: "<p>old"}, m.Body)
		packed, _ := b.pending(b.received().ID)
		for _, m := range []mail.Mail{m, packed} {
			require.NotEmpty(b, b.row(m.ID).Body+string(b.row(m.ID).Packed))
			b.Do(func(ctx context.Context, tx *store.Tx) error {
				return mail.Refuse(ctx, tx, m, "no link")
			})
			require.Empty(b, b.row(m.ID).Body+string(b.row(m.ID).Packed))
		}
	})
}

// Ensure that nothing pretends to know a mail that there is not.
func TestUnknownMail(t *testing.T) {
	each(t, func(b bridge) {
		err := b.Try(func(ctx context.Context, tx *store.Tx) error {
			_, _, err := mail.Get(ctx, tx, "none")
			return err
		})
		require.True(b, errors.Is(err, mail.ErrUnknown))
		err = b.Try(func(ctx context.Context, tx *store.Tx) error {
			_, _, err := mail.Pending(ctx, tx, "none")
			return err
		})
		require.True(b, errors.Is(err, mail.ErrUnknown))
	})
}

// Ensure that the rows which a repeated delivery is logged with are its own: those of its tenant,
// Message-Id and phones.
func TestEntriesOfADuplicate(t *testing.T) {
	each(t, func(b bridge) {
		d := b.delivery(2)
		for i, change := range []func(d *mail.Delivery){
			func(d *mail.Delivery) { d.Tenant = "beta" },
			func(d *mail.Delivery) { d.MessageID = "0@idp.example" },
			func(*mail.Delivery) {},
			func(d *mail.Delivery) { d.Recipients = b.delivery(1).Recipients },
		} {
			other := d
			other.Token += strconv.Itoa(i)
			change(&other)
			require.Equal(b, mail.New, b.take(other))
		}
		entries, err := mail.Entries(b.Context(), b.Store, mail.Pack(b.Store, d), mail.Duplicate)
		require.NoError(b, err)
		require.Len(b, entries, 2)
		for i, to := range d.Recipients {
			require.Equal(b, mail.Entry{ID: b.Strings("SELECT id FROM mail WHERE tenant = $1"+
				" AND message_id = $2 AND phone = $3", d.Tenant, d.MessageID, to.Phone.E164())[0],
				Phone: to.Phone}, entries[i])
		}
	})
}
