package auth0

import (
	"context"

	"smsbridge/inbound/web"
	"smsbridge/internal/text"
)

// What the tests from outside of the package compare with and call.
const (
	MaxState         = maxState
	MaxStream        = maxStream
	MaxStreamed      = maxStreamed
	MaxNotification  = maxNotification
	NotificationLook = notificationLook
)

// AwaitText waits until it is certain what becomes of a text, and returns its state.
func AwaitText(ctx context.Context, e web.Edge, id string) (text.State, error) {
	sent, err := (&Door{Edge: e}).awaitText(ctx, id)
	return sent.State, err
}
