package mailgun

import (
	"testing"

	"github.com/mailgun/mailgun-go/v4"
	"github.com/stretchr/testify/require"
)

// Our Mailgun and the mock server that Mailgun's own library brings treat the library alike: a
// route's life and the pages of events.
func TestAgreesWithLibrarysMock(t *testing.T) {
	m := openTest(t, Config{})
	mock := mailgun.NewMockServer()
	t.Cleanup(mock.Stop)
	other := mailgun.NewMailgun("sms.acme.example", "key-mock")
	other.SetAPIBase(mock.URL())
	for name, client := range map[string]mailgun.Mailgun{"ours": libraryClient(m),
		"the library's": other} {
		t.Run(name, func(t *testing.T) {
			ctx := testContext(t)
			created, err := client.CreateRoute(ctx, mailgun.Route{
				Priority: 1, Description: "smsbridge:acme",
				Expression: `match_recipient("^acme\\+[0-9]+@sms\\.acme\\.example$")`,
				Actions:    []string{`store(notify="http://127.0.0.1:9/")`, "stop()"},
			})
			require.NoError(t, err)
			got, err := client.GetRoute(ctx, created.Id)
			require.NoError(t, err)
			require.Equal(t, created.Expression, got.Expression)
			require.Equal(t, created.Actions, got.Actions)

			found := 0
			var routes []mailgun.Route
			for it := client.ListRoutes(&mailgun.ListOptions{Limit: 5}); it.Next(ctx, &routes); {
				for _, r := range routes {
					if r.Id == created.Id {
						found++
					}
				}
			}
			require.Equal(t, 1, found)
			updated, err := client.UpdateRoute(ctx, created.Id, mailgun.Route{Description: "changed"})
			require.NoError(t, err)
			require.Equal(t, "changed", updated.Description)
			require.NoError(t, client.DeleteRoute(ctx, created.Id))
			_, err = client.GetRoute(ctx, created.Id)
			require.Equal(t, 404, mailgun.GetStatusFromErr(err))

			var page []mailgun.Event
			events := client.ListEvents(&mailgun.ListEventOptions{ForceAscending: true, Limit: 5})
			pages := 0
			for ; pages < 50 && events.Next(ctx, &page); pages++ {
				require.LessOrEqual(t, len(page), 5)
			}
			require.NoError(t, events.Err())
			require.Less(t, pages, 50, "the pages end")
		})
	}
}
