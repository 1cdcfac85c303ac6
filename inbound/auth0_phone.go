package inbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/auth0"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/phonemail"
)

// This file is the phone provider: Auth0's Action asks for a code or another text of Auth0's to be sent, and is kept waiting until a provider has it.
// 200 says that one has, 202 that none has answered yet and that the same request may be made again; any refusal that another request would get as
// well is a problem below 500 and not 429 (https://auth0.com/docs/customize/phone-messages/configure-phone-messaging-providers/configure-a-custom-phone-provider).

const (
	maxNotification  = 16 << 10        // bytes of a request
	notificationWait = 9 * time.Second // for a provider's answer
	notificationLook = 50 * time.Millisecond
)

// notification is what the Action posts: the parts of event.notification by the names of Auth0's documentation, and the user's id. Members that are
// not named here are ignored.
type notification struct {
	Recipient      string `json:"recipient"`       // E.164
	Text           string `json:"text"`            // Auth0's as_text
	Code           string `json:"code"`            // "" for a text without one
	MessageType    string `json:"message_type"`    // otp_verify, otp_enroll, blocked_account, change_password or password_breach
	DeliveryMethod string `json:"delivery_method"` // text, or "" for it
	Language       string `json:"language"`        // BCP 47
	UserID         string `json:"user_id"`         // lets feedback name the user instead of the phone
}

// Problems of the phone provider's own.
var (
	notCarried = problemKind{"not-carried", http.StatusUnprocessableEntity, "It is not carried by text"}
	notSent    = problemKind{"not-sent", http.StatusUnprocessableEntity, "No provider sends it"}
)

// receiveAuth0Phone sends what Auth0 has to say to a phone.
func (s *Server) receiveAuth0Phone(c echo.Context) error {
	t, key, p := s.auth0Action(c)
	if p != nil {
		return s.refuseAuth0(c, p)
	}
	var n notification
	if p := readJSON(c.Request(), maxNotification, &n); p != nil {
		return s.refuseAuth0(c, p)
	}
	asked, p := n.read(t)
	if p != nil {
		return s.refuseAuth0(c, p)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), notificationWait)
	defer cancel()
	var textID string
	err := s.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		textID, err = auth0.Notify(ctx, tx, t, asked, key)
		return err
	})
	if err != nil {
		return s.refuseAuth0(c, asProblem(err), err)
	}
	return s.answerNotification(c, ctx, t, textID)
}

// read reads what the tenant is asked to text, and refuses what it never can.
func (n notification) read(t *tenant.Tenant) (auth0.Notification, *problem) {
	phone, err := phonemail.ParseNumber(n.Recipient)
	asked := auth0.Notification{
		Phone: phone, Delivery: n.DeliveryMethod, Code: n.Code, Text: n.Text, Type: n.MessageType,
		Language: n.Language, UserID: n.UserID,
	}
	if err == nil {
		err = asked.Judge(t)
	}
	switch {
	case errors.Is(err, auth0.ErrDelivery):
		return asked, notCarried.of("Only texts are: switch voice off at Auth0.")
	case errors.Is(err, auth0.ErrEmpty):
		return asked, badField.on("text", "It is missing, and so is a code.")
	case errors.Is(err, auth0.ErrTooLong):
		return asked, badField.on("text", fmt.Sprintf("It takes more than %d segments.", auth0.MaxSegments))
	case err != nil:
		return asked, asProblem(err)
	}
	return asked, nil
}

// answerNotification waits until a text has been sent or never will be.
func (s *Server) answerNotification(c echo.Context, ctx context.Context, t *tenant.Tenant, textID string) error {
	row, err := s.awaitText(ctx, textID)
	if err != nil {
		return s.refuseAuth0(c, asProblem(err), err)
	}
	answer := struct {
		Status string `json:"status"` // sent, or pending
		ID     string `json:"id"`     // of the text
	}{"sent", textID}
	status := http.StatusOK
	switch row.State {
	case text.Sent, text.Delivered:
	case text.Failed, text.Undelivered, text.Suppressed:
		return s.refuseAuth0(c, notSent.of("The reason is "+row.Error+"."))
	default:
		answer.Status, status = "pending", http.StatusAccepted
	}
	s.Log.Info("auth0 phone", "tenant", t.Slug, "status", status, "text", textID)
	return c.JSON(status, answer)
}

// awaitText returns a text once it is known what came of it, or as it stands when ctx ends.
func (s *Server) awaitText(ctx context.Context, id string) (row db.Text, err error) {
	tick := time.NewTicker(notificationLook)
	defer tick.Stop()
	for {
		var now db.Text
		err := s.Store.Read(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			now, err = tx.GetText(ctx, id)
			return err
		})
		switch {
		case err == nil:
			row = now
		case ctx.Err() == nil:
			return row, err
		}
		switch row.State {
		case text.Due, text.Sending, text.Unclear:
		default:
			return row, nil
		}
		select {
		case <-ctx.Done():
			return row, nil
		case <-tick.C:
		}
	}
}

// auth0Action proves that an Action of a tenant knocks, and returns the key it did so with.
func (s *Server) auth0Action(c echo.Context) (*tenant.Tenant, string, *problem) {
	t, ok := s.Settings.Tenants.Tenant(c.Param("tenant"))
	if !ok || len(t.Auth0.ProviderKeys) == 0 {
		return nil, "", notFound.of("There is no such tenant, or it has no key for this door.")
	}
	key := bearer(c.Request())
	if !t.Auth0.AllowsProvider(key) {
		return nil, "", unauthorized.of("Send it as Authorization: Bearer KEY.")
	}
	return t, key, nil
}

// refuseAuth0 logs and writes a problem. What is the bridge's own trouble is logged as an error.
func (s *Server) refuseAuth0(c echo.Context, p *problem, cause ...error) error {
	attrs := []any{"tenant", knownSlug(s.Settings, c.Param("tenant")), "path", c.Path(), "status", p.Status, "reason", p.name}
	if p.Status >= 500 {
		s.Log.Error("auth0", append(attrs, "error", errors.Join(cause...))...)
	} else {
		s.Log.Warn("auth0", attrs...)
	}
	return writeProblem(c, p, s.Now())
}

// readJSON reads a JSON object of at most limit bytes.
func readJSON(r *http.Request, limit int64, into any) *problem {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return badMediaType.of("Content-Type must be application/json.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	if tooBig := new(http.MaxBytesError); errors.As(err, &tooBig) {
		return tooLarge.of("It is larger than any such request.")
	}
	if err != nil || len(body) == 0 || json.Unmarshal(body, into) != nil {
		return badRequest.of("The body is not the JSON object that is asked for.")
	}
	return nil
}
