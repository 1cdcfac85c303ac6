package inbound

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"smsbridge/internal/segment"
	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/verification"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// This file is the phone provider: Auth0's Action asks for a code or another text of Auth0's to be sent, and is kept waiting until a provider has it.
// 200 says that one has, 202 that none has answered yet and that the same request may be made again; any refusal that another request would get as
// well is a problem below 500 and not 429 (https://auth0.com/docs/customize/phone-messages/configure-phone-messaging-providers/configure-a-custom-phone-provider).

// doorAuth0Phone names the phone provider in what it starts: verifications whose code is Auth0's, which compares it. They are called by their phone,
// so that of one phone only the last code counts, as it does at Auth0.
const doorAuth0Phone = "auth0_phone"

const (
	maxNotification  = 16 << 10        // bytes of a request
	maxNotified      = 6               // segments of a text that is no code
	notificationWait = 9 * time.Second // for a provider's answer
	notificationLook = 50 * time.Millisecond
	sameFor          = 30 * time.Second // an equal request within it is a retry, and later the person's wish for another text
	notificationLife = 10 * time.Minute // in which a text that is no code is worth sending
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
	phone, p := n.judge(t)
	if p != nil {
		return s.refuseAuth0(c, p)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), notificationWait)
	defer cancel()
	var textID string
	err := s.Store.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		textID, err = takeNotification(ctx, tx, t, n, phone, n.digest(key))
		return err
	})
	if err != nil {
		return s.refuseAuth0(c, asProblem(err), err)
	}
	return s.answerNotification(c, ctx, t, textID)
}

// judge refuses what cannot be sent.
func (n notification) judge(t *tenant.Tenant) (phonemail.Number, *problem) {
	phone, err := phonemail.ParseNumber(n.Recipient)
	if err == nil {
		err = t.Policy.Check(phone)
	}
	switch {
	case err != nil:
		return phone, asProblem(err)
	case n.DeliveryMethod != "" && n.DeliveryMethod != "text":
		return phone, notCarried.of("Only texts are: switch voice off at Auth0.")
	case n.Code != "":
		if _, err := verification.ParseCode(n.Code); err != nil {
			return phone, asProblem(err)
		}
	case n.Text == "":
		return phone, badField.on("text", "It is missing, and so is a code.")
	}
	if segment.Measure(n.Text).Segments > maxNotified {
		return phone, badField.on("text", fmt.Sprintf("It takes more than %d segments.", maxNotified))
	}
	return phone, nil
}

// digest tells whether two requests ask for the same. It is keyed with the provider's key, of which this process knows only a hash, so that a code
// cannot be found by trying all.
func (n notification) digest(key string) string {
	mac := hmac.New(sha256.New, []byte(key))
	for _, part := range []string{n.Recipient, n.MessageType, n.Code, n.Text, n.UserID} {
		fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// takeNotification makes a text due and returns its id, or that of the text that an equal request made due a moment ago.
func takeNotification(ctx context.Context, tx *store.Tx, t *tenant.Tenant, n notification, phone phonemail.Number, digest string) (textID string, err error) {
	// One after the other for each phone, so that the same request made twice at once is seen as one.
	if _, err := tx.LockGuesses(ctx, db.LockGuessesParams{Tenant: t.Slug, Phone: phone.E164(), Now: store.Millis(tx.Now())}); err != nil {
		return "", err
	}
	same, err := tx.SameAuth0Notification(ctx, db.SameAuth0NotificationParams{Tenant: t.Slug, Digest: digest, Since: store.Millis(tx.Now().Add(-sameFor))})
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return same.TextID, err
	}
	var verificationID string
	if n.Code != "" {
		verificationID, textID, err = textCode(ctx, tx, t, n, phone)
	} else {
		account, sender := t.Line(phone)
		textID, err = text.Make(ctx, tx, text.Draft{
			Tenant: t.Slug, Line: text.Line{Account: account, Sender: sender}, Phone: phone, Purpose: text.Relay, Body: n.Text,
			Deadline: tx.Now().Add(notificationLife),
		})
	}
	if err != nil {
		return "", err
	}
	return textID, tx.AddAuth0Notification(ctx, db.AddAuth0NotificationParams{
		ID: store.NewID(), Tenant: t.Slug, Digest: digest, UserID: n.UserID, VerificationID: verificationID, TextID: textID, At: store.Millis(tx.Now()),
	})
}

// textCode texts a code of Auth0's, in Auth0's wording where Twilio Verify does not use its own.
func textCode(ctx context.Context, tx *store.Tx, t *tenant.Tenant, n notification, phone phonemail.Number) (verificationID, textID string, err error) {
	request := verification.For(t, doorAuth0Phone, phone)
	request.ExternalID, request.Replace, request.Notify = phone.E164(), true, false
	request.Limits.Wrong = math.MaxInt32 // Auth0 counts guesses; those at our other doors must not keep people out of theirs
	request.Locale, _ = wording.CodeLocale(n.Language)
	if request.Code, err = verification.ParseCode(n.Code); err != nil {
		return "", "", err
	}
	if n.Text != "" {
		request.Wording = func(string, string) string { return n.Text }
	}
	v, _, err := verification.Start(ctx, tx, request)
	if err != nil {
		return "", "", err
	}
	last, err := tx.LastTextOfVerification(ctx, v.ID)
	return v.ID, last.ID, err
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
	switch text.State(row.State) {
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
		switch text.State(row.State) {
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
