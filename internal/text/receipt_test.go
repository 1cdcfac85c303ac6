package text_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/longtest"
	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
	"smsbridge/internal/text"
)

// permutations calls visit with every order of items.
func permutations[T any](items []T, visit func([]T)) {
	var permute func(n int)
	permute = func(n int) {
		if n == len(items) {
			visit(items)
			return
		}
		for i := n; i < len(items); i++ {
			items[n], items[i] = items[i], items[n]
			permute(n + 1)
			items[n], items[i] = items[i], items[n]
		}
	}
	permute(0)
}

// answer stands among receipts for what the API itself responds.
const answer = "the API's answer"

// reports are what is said about one text, in any order, and how the text ends.
type reports struct {
	said []string
	end  string
}

// Ensure that the order in which receipts and the API's own response arrive does not matter, and
// that no state is ever taken back. The sets have duplicates and every end.
func TestReceiptsInAnyOrder(t *testing.T) {
	sets := []reports{
		{[]string{answer, "sent", "sent", "delivered", "delivered"}, "delivered"},
		{[]string{answer, "queued", "sent", "undelivered"}, "undelivered"},
		{[]string{answer, "sent", "failed", "failed"}, "failed"},
		{[]string{answer, "sent", "undelivered", "delivered"}, "delivered"},
		{[]string{"sent", "failed", "undelivered"}, "undelivered"},
		{[]string{answer, "canceled", "failed"}, "failed"},
		{[]string{answer, "delivered", "read", "nonsense"}, "delivered"},
		{[]string{answer, "queued", "sending", "sent"}, "sent"},
	}
	each(t, func(b bridge) {
		for _, set := range sets {
			b.tellInAnyOrder(set)
		}
	})
}

// The same for all 720 orders of the API's response and five receipts. PostgreSQL has the same
// code, and takes its time.
func TestManyReceiptsInAnyOrder(t *testing.T) {
	longtest.Skip(t)
	b := bridge{storetest.OpenBench(t, storetest.SQLite(t))}
	b.tellInAnyOrder(reports{
		[]string{answer, "accepted", "queued", "sending", "sent", "delivered"}, "delivered",
	})
}

// tellInAnyOrder tells each order of the reports about a text of its own.
func (b bridge) tellInAnyOrder(set reports) {
	b.Helper()
	ranks := map[string]int{"due": 0, "sent": 1, "failed": 2, "undelivered": 3, "delivered": 4}
	var orders [][]string
	permutations(set.said, func(order []string) { orders = append(orders, slices.Clone(order)) })
	slices.SortFunc(orders, slices.Compare)
	orders = slices.CompactFunc(orders, slices.Equal)
	for some := range slices.Chunk(orders, 100) {
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			for _, order := range some {
				if err := b.tellInOrder(ctx, tx, order, set.end, ranks); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// tellInOrder makes a text, tells what arrives, and checks the end and that no step goes down.
func (b bridge) tellInOrder(
	ctx context.Context, tx *store.Tx, order []string, want string, ranks map[string]int,
) error {
	id, err := text.Make(ctx, tx, text.Draft{Tenant: acme(), Line: line(),
		Phone: phone(b, "+4520123456"), Body: "x", Deadline: b.Now().Add(time.Minute)})
	if err != nil {
		return err
	}
	if _, due, err := text.Begin(ctx, tx, id); err != nil || !due {
		return fmt.Errorf("not begun: %w", err)
	}
	for _, status := range order {
		if status == answer {
			err = text.Accept(ctx, tx, id, "SM"+id)
		} else {
			code := map[string]string{"undelivered": "30003", "failed": "30008"}[status]
			err = takeReceipt(ctx, tx, text.Receipt{TextID: id, Account: "AC1", ProviderID: "SM" + id,
				State: text.TwilioState(status), Code: code})
		}
		if err != nil {
			return err
		}
	}
	told, err := tx.EventsOf(ctx, id)
	rank := -1
	for _, event := range told {
		next := ranks[strings.TrimPrefix(event.Name, "text.")]
		if next <= rank {
			return fmt.Errorf("%v: back to %s", order, event.Name)
		}
		rank = next
	}
	if err != nil || rank != ranks[want] {
		return fmt.Errorf("%v: the timeline ends at %d: %w", order, rank, err)
	}
	row, err := tx.GetText(ctx, id)
	if err == nil && (string(row.State) != want || row.ProviderID != "SM"+id ||
		row.Body != "") {
		return fmt.Errorf("%v: ended as %s", order, row.State)
	}
	if wantCode := map[string]string{"undelivered": "30003"}[want]; err == nil && want != "failed" &&
		row.Error != wantCode {
		return fmt.Errorf("%v: ended with %q", order, row.Error)
	}
	return err
}

// Ensure that a receipt counts only for the text, account and provider id it is about.
func TestReceiptsThatChangeNothing(t *testing.T) {
	each(t, func(b bridge) {
		sent := b.sending()
		b.accept(sent, "SM1")
		sending, due, refused, suppressed := b.sending(), b.make(), b.sending(), b.make()
		b.refuse(refused, "21211")
		b.optOut(line())
		b.begin(suppressed)
		for name, r := range map[string]text.Receipt{
			"unknown text": {TextID: "none", Account: "AC1", ProviderID: "SM9",
				State: text.TwilioState("delivered")},
			"no text": {Account: "AC1", ProviderID: "SM1", State: text.TwilioState("delivered")},
			"other account": {TextID: sent, Account: "AC2", ProviderID: "SM1",
				State: text.TwilioState("delivered")},
			"other provider id": {TextID: sent, Account: "AC1", ProviderID: "SM2",
				State: text.TwilioState("delivered")},
			"no provider id": {TextID: sending, Account: "AC1", State: text.TwilioState("delivered")},
			"another text's id": {TextID: sending, Account: "AC1", ProviderID: "SM1",
				State: text.TwilioState("delivered")},
			"unknown status": {TextID: sent, Account: "AC1", ProviderID: "SM1",
				State: text.TwilioState("teleported")},
			"empty status": {TextID: sent, Account: "AC1", ProviderID: "SM1"},
			"older than what is known": {TextID: sent, Account: "AC1", ProviderID: "SM1",
				State: text.TwilioState("queued")},
			"of a text never begun": {TextID: due, Account: "AC1", ProviderID: "SM3",
				State: text.TwilioState("sent")},
			"end of a text never begun": {TextID: due, Account: "AC1", ProviderID: "SM3",
				State: text.TwilioState("delivered")},
			"sent, of a refused text": {TextID: refused, Account: "AC1", ProviderID: "SM4",
				State: text.TwilioState("sent")},
			"of a suppressed text": {TextID: suppressed, Account: "AC1", ProviderID: "SM5",
				State: text.TwilioState("delivered")},
		} {
			before := []any{b.row(sent), b.row(sending), b.row(due), b.row(refused), b.row(suppressed)}
			b.receipt(r)
			require.Equal(b, before, []any{b.row(sent), b.row(sending), b.row(due), b.row(refused),
				b.row(suppressed)}, name)
		}
	})
}

// Ensure that a refusal of ours never takes back what a receipt has said.
func TestRefuseAfterReceipt(t *testing.T) {
	each(t, func(b bridge) {
		for _, status := range []string{"sent", "delivered", "undelivered"} {
			id := b.sending()
			b.receipt(text.Receipt{TextID: id, Account: "AC1", ProviderID: "SM" + id,
				State: text.TwilioState(status)})
			b.refuse(id, "not configured")
			require.EqualValues(b, status, b.row(id).State)
		}
	})
}

// Ensure that a receipt that resolves an unclear text ends the search for it.
func TestReceiptResolvesUnclear(t *testing.T) {
	each(t, func(b bridge) {
		id := b.sending()
		b.loseSight(id)
		b.receipt(text.Receipt{TextID: id, Account: "AC1", ProviderID: "SM1",
			State: text.TwilioState("sent")})
		require.EqualValues(b, "sent", b.row(id).State)
		b.Do(func(ctx context.Context, tx *store.Tx) error {
			claimed, err := text.Claimed(ctx, tx, "AC1", "SM1")
			require.True(b, claimed)
			elsewhere, err2 := text.Claimed(ctx, tx, "AC2", "SM1")
			require.False(b, elsewhere)
			require.NoError(b, err2)
			return err
		})
	})
}

// Ensure that receipts that race each other and the API's response end as if they had come one
// after the other.
func TestReceiptsRace(t *testing.T) {
	each(t, func(b bridge) {
		var ids []string
		for range 60 {
			ids = append(ids, b.sending())
		}
		for _, id := range ids {
			told := []func(context.Context, *store.Tx) error{
				func(ctx context.Context, tx *store.Tx) error { return text.Accept(ctx, tx, id, "SM"+id) },
			}
			for _, status := range []string{"sent", "delivered"} {
				told = append(told, func(ctx context.Context, tx *store.Tx) error {
					return takeReceipt(ctx, tx, text.Receipt{TextID: id, Account: "AC1",
						ProviderID: "SM" + id, State: text.TwilioState(status)})
				})
			}
			require.NoError(b, errors.Join(b.AtOnce(told...)...))
			require.EqualValues(b, "delivered", b.row(id).State)
			require.Equal(b, "SM"+id, b.row(id).ProviderID)
		}
	})
}

// Ensure that a text which its provider is known to have is not put back: it would go out twice.
func TestTextOfAProviderIsNotPutBack(t *testing.T) {
	each(t, func(b bridge) {
		id := b.sending()
		b.Exec("UPDATE text SET provider_id = 'SM1' WHERE id = $1", id)
		b.putBack(id, text.Sending)
		require.EqualValues(b, "sending", b.row(id).State)
	})
}
