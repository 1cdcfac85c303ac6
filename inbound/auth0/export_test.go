package auth0

import (
	"context"

	"smsbridge/inbound/web"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// What the tests from outside of the package compare with and call.
const (
	MaxState         = maxState
	MaxStream        = maxStream
	MaxStreamed      = maxStreamed
	MaxNotification  = maxNotification
	NotificationLook = notificationLook
)

// CanForward reports whether Twilio Verify can be told about codes of others.
func CanForward(t *tenant.Tenant) bool { return canForward(t) }

// TakeCode takes a notification with a code, as the Action posts it with a key.
func TakeCode(ctx context.Context, tx *store.Tx, t *tenant.Tenant, recipient, code, key string) (string, error) {
	n := notification{Recipient: recipient, Code: code}
	phone, problem := n.judge(t)
	if problem != nil {
		return "", problem
	}
	return takeNotification(ctx, tx, t, n, phone, n.digest(key))
}

// AwaitText waits until it is known what came of a text, and returns its state.
func AwaitText(ctx context.Context, e web.Edge, id string) (string, error) {
	row, err := (&Door{Edge: e}).awaitText(ctx, id)
	return string(row.State), err
}
