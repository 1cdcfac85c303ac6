package auth0

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/inbound/web"
	"smsbridge/internal/auth0"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// This file is the phone provider. Auth0's Action asks for a code or another text to be sent, and
// waits until a provider of texts has it. The response is 200 when one has it, and 202 when none
// has responded yet and the Action may retry. A problem below 500 other than 429 tells the Action
// that a retry would be refused as well
// (https://auth0.com/docs/customize/phone-messages/configure-phone-messaging-providers/
// configure-a-custom-phone-provider).

const (
	maxNotification  = 16 << 10              // bytes of a request
	notificationWait = 9 * time.Second       // for a provider of texts
	notificationLook = 50 * time.Millisecond // between two looks at the text
)

// notification is what the Action posts: the parts of event.notification by the names of Auth0's
// documentation, and the user's id. Other members are ignored.
type notification struct {
	Recipient      string `json:"recipient"` // E.164
	Text           string `json:"text"`      // Auth0's as_text
	Code           string `json:"code"`      // "" for a text without one
	MessageType    string `json:"message_type"`
	DeliveryMethod string `json:"delivery_method"` // text, or "" for it
	Language       string `json:"language"`        // BCP 47
	UserID         string `json:"user_id"`
}

// Problems of the phone provider's own.
var (
	notCarried = web.Kind("not-carried", http.StatusUnprocessableEntity, "The bridge sends texts only")
	notSent    = web.Kind("not-sent", http.StatusUnprocessableEntity, "No provider sends it")
)

// receiveNotification has a notification texted.
func (d *Door) receiveNotification(c echo.Context) error {
	t, key, p := d.proveAction(c)
	if p != nil {
		return d.refuse(c, p)
	}
	var posted notification
	if p := web.ReadJSON(c.Request(), maxNotification, &posted); p != nil {
		return d.refuse(c, p)
	}
	n, p := posted.read(t, d.Now())
	if p != nil {
		return d.refuse(c, p)
	}
	web.About(c, "", n.Phone)
	ctx, cancel := context.WithTimeout(c.Request().Context(), notificationWait)
	defer cancel()
	id, err := web.Commit(ctx, d.Store, func(ctx context.Context, tx *store.Tx) (string, error) {
		return auth0.Notify(ctx, tx, t, n, key)
	})
	if err != nil {
		return d.refuse(c, asProblem(err), err)
	}
	sent, err := d.awaitText(ctx, id)
	if err != nil {
		return d.refuse(c, asProblem(err), err)
	}
	web.About(c, sent.Case, n.Phone)
	return d.respondNotification(c, t, id, sent)
}

// read returns what is to be texted, or the problem because of which it never can be.
func (n notification) read(
	t *tenant.Tenant, now time.Time,
) (auth0.Notification, *web.Problem) {
	phone, err := phonemail.ParseNumber(n.Recipient)
	asked := auth0.Notification{
		Phone: phone, Delivery: n.DeliveryMethod, Code: n.Code, Text: n.Text, Type: n.MessageType,
		Language: n.Language, UserID: n.UserID,
	}
	if err == nil {
		err = asked.Judge(t, now)
	}
	switch {
	case errors.Is(err, auth0.ErrDelivery):
		return asked, notCarried.Of("Auth0 asked for another way, such as a voice call. " +
			"Switch that off at Auth0.")
	case errors.Is(err, auth0.ErrEmpty):
		return asked, web.BadField.On("text", "It is missing, and so is a code.")
	case errors.Is(err, auth0.ErrTooLong):
		return asked, web.BadField.On("text",
			fmt.Sprintf("It takes more than %d segments.", auth0.MaxSegments))
	case err != nil:
		return asked, asProblem(err)
	}
	return asked, nil
}

// respondNotification says how far a text has come.
func (d *Door) respondNotification(
	c echo.Context, t *tenant.Tenant, id string, sent text.Progress,
) error {
	body := struct {
		Status string `json:"status"` // sent, or pending
		ID     string `json:"id"`     // of the text
	}{"sent", id}
	status := http.StatusOK
	switch sent.State {
	case text.Sent, text.Delivered:
	case text.Failed, text.Undelivered, text.Suppressed:
		return d.refuse(c, notSent.Of("The reason is "+sent.Reason+"."))
	default:
		body.Status, status = "pending", http.StatusAccepted
	}
	d.log(c, t.Slug).Info("auth0 phone", "status", status, "text", id)
	return c.JSON(status, body)
}

// awaitText returns how far a text has come, as soon as that is certain or when ctx ends.
func (d *Door) awaitText(ctx context.Context, id string) (sent text.Progress, err error) {
	tick := time.NewTicker(notificationLook)
	defer tick.Stop()
	for {
		now, err := web.Read(ctx, d.Store,
			func(ctx context.Context, tx store.View) (text.Progress, error) {
				return text.ProgressOf(ctx, tx, id)
			})
		switch {
		case err == nil:
			sent = now
		case ctx.Err() == nil:
			return sent, err
		}
		if err == nil && !sent.Open() {
			return sent, nil
		}
		select {
		case <-ctx.Done():
			return sent, nil
		case <-tick.C:
		}
	}
}
