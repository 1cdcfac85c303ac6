package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"smsbridge/inbound/web"
	"smsbridge/internal/challenge"
	"smsbridge/internal/store"
	"smsbridge/internal/verification"
	"smsbridge/internal/wording"
	"smsbridge/phonemail"
)

// The life of a question that an app asks, and how many characters its name may have.
const (
	leastLife    = time.Minute
	mostLife     = 24 * time.Hour
	maxReference = 255
)

// shownQuestion is a question as the API shows it. What was asked is not kept.
type shownQuestion struct {
	ID        string `json:"id"`
	Status    string `json:"status"`
	Phone     string `json:"phone"`
	Reference string `json:"reference,omitempty"`
	CreatedAt string `json:"created_at"`
	ExpiresAt string `json:"expires_at"`
	EndedAt   string `json:"ended_at,omitempty"`
	Reason    string `json:"reason,omitempty"` // why it failed or was canceled
	Test      bool   `json:"test,omitempty"`   // its phone is a test number
}

func showQuestion(c challenge.Challenge) shownQuestion {
	return shownQuestion{
		ID: c.ID, Status: string(c.State), Phone: c.Phone.E164(), Reference: c.Reference,
		CreatedAt: dateTime(c.Opened), ExpiresAt: dateTime(c.Expires), EndedAt: dateTime(c.Ended),
		Reason: string(c.Outcome), Test: c.Test,
	}
}

// questionFields are the members of the body that asks a question.
func questionFields() []string {
	return []string{"phone", "subject", "expires_in", "reference", "locale"}
}

// createQuestion asks a phone what an app wants to know. The response to a request with an
// Idempotency-Key that came before shows what was asked then.
func (d *Door) createQuestion(r request) (response, error) {
	asked, err := readQuestion(r, d.Now())
	if err != nil {
		return response{}, err
	}
	web.About(r, "", asked.Phone)
	key, p := idempotencyKey(r.Request().Header)
	if p != nil {
		return response{}, p
	}
	once := verification.Key{
		Value: key, Asked: "question " + canonicalOf(r.fields, questionFields()),
	}
	c, err := web.Commit(r.ctx, d.Store,
		func(ctx context.Context, tx *store.Tx) (challenge.Challenge, error) {
			asked := asked
			asked.ID = store.NewID()
			before, err := verification.Once(ctx, tx, r.tenant.Slug, once, asked.ID)
			if err != nil || before != "" {
				return ofApp(ctx, tx, r.tenant.Slug, before, err)
			}
			return challenge.AskApp(ctx, tx, r.tenant, asked)
		})
	if err != nil {
		return response{}, asQuestionProblem(err)
	}
	web.About(r, c.ID, c.Phone)
	return response{http.StatusCreated, showQuestion(c), "/v1/questions/" + c.ID}, nil
}

func ofApp(
	ctx context.Context, tx *store.Tx, slug, id string, err error,
) (challenge.Challenge, error) {
	if err != nil {
		return challenge.Challenge{}, err
	}
	return challenge.OfApp(ctx, tx, slug, id)
}

// readQuestion makes a question of the members of a body.
func readQuestion(r request, now time.Time) (q challenge.AppQuestion, err error) {
	q.Phone, err = phonemail.ParseNumber(r.fields["phone"])
	if err == nil {
		err = r.tenant.Check(q.Phone, now)
	}
	if err != nil {
		return q, err
	}
	q.Subject, q.Reference = r.fields["subject"], r.fields["reference"]
	if utf8.RuneCountInString(q.Reference) > maxReference ||
		strings.ContainsFunc(q.Reference, unicode.IsControl) {
		return q, web.BadField.On("reference",
			"It has at most 255 characters, and no control characters.")
	}
	if life, given := r.fields["expires_in"]; given {
		q.Life, err = time.ParseDuration(life)
		if err != nil || q.Life < leastLife || q.Life > mostLife {
			return q, web.BadField.On("expires_in", "It is 1m to 24h, such as 10m.")
		}
	}
	locale, asked := r.fields["locale"]
	if asked && !wording.IsTag(locale) {
		return q, web.BadField.On("locale", "It is no BCP 47 tag, such as da-DK.")
	}
	q.Language = r.tenant.LanguageFor(locale, "", q.Phone)
	return q, nil
}

// showOneQuestion shows a question of the app.
func (d *Door) showOneQuestion(r request) (response, error) {
	c, err := web.Read(r.ctx, d.Store,
		func(ctx context.Context, view store.View) (challenge.Challenge, error) {
			return challenge.OfApp(ctx, view, r.tenant.Slug, r.id())
		})
	web.About(r, c.ID, c.Phone)
	return response{status: http.StatusOK, body: showQuestion(c)}, asQuestionProblem(err)
}

// cancelQuestion calls a question off.
func (d *Door) cancelQuestion(r request) (response, error) {
	c, err := web.Commit(r.ctx, d.Store,
		func(ctx context.Context, tx *store.Tx) (challenge.Challenge, error) {
			c, err := challenge.OfApp(ctx, tx, r.tenant.Slug, r.id())
			if err == nil && c.State != challenge.Open {
				err = challenge.ErrGone
			}
			if err == nil {
				err = challenge.Cancel(ctx, tx, c, string(challenge.CanceledByApp))
			}
			if err != nil {
				return c, err
			}
			return challenge.OfApp(ctx, tx, r.tenant.Slug, c.ID)
		})
	web.About(r, c.ID, c.Phone)
	return response{status: http.StatusOK, body: showQuestion(c)}, asQuestionProblem(err)
}

// asQuestionProblem says in the API's words why a question is not asked. Other errors stay.
func asQuestionProblem(err error) error {
	var refused *challenge.Refused
	errors.As(err, &refused)
	switch {
	case errors.Is(err, challenge.ErrUnknown):
		return web.NotFound.Of("There is no question with this id.")
	case errors.Is(err, challenge.ErrGone):
		return notOpen.Of("Its status says how it ended.")
	case errors.Is(err, challenge.ErrOptedOut):
		return verification.ErrOptedOut
	case errors.Is(err, challenge.ErrSubject):
		return web.BadField.On("subject", "It "+refused.Why+".")
	case errors.Is(err, challenge.ErrUnaskable):
		return web.BadNumber.On("phone", "No question can be asked: "+refused.Why+".")
	case errors.Is(err, challenge.ErrBusy):
		return phoneBusy.Of("It cannot be asked now: " + refused.Why + ".")
	case errors.Is(err, challenge.ErrLimited):
		return &verification.WaitError{Err: verification.ErrLimited, Until: refused.Until}
	}
	return err
}
