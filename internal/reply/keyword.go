package reply

import (
	"context"
	"time"

	"smsbridge/internal/optout"
	"smsbridge/internal/store/db"
	"smsbridge/internal/tenant"
	"smsbridge/internal/text"
	"smsbridge/internal/wording"
)

// This file obeys the words that carriers act upon. Where the provider answers such a word itself,
// the bridge says nothing: a person gets one response at most.

// answerLife is how long it is worth answering a keyword. In the US a STOP may be confirmed within
// five minutes (47 CFR 64.1200(a)(12)).
const answerLife = 5 * time.Minute

func (t *taking) heard() optout.Heard {
	return optout.Heard{Line: t.Line, Sharing: t.Sharing, Phone: t.Phone, Via: text.ByReply}
}

// stop opts the phone out and cancels everything it was asked, also what has not reached it yet.
// The first STOP is confirmed, by the provider or by the bridge. Another one is not, unless START
// came between them. The bridge then confirms one in two days.
func (t *taking) stop(ctx context.Context) error {
	first, err := optout.Stop(ctx, t.tx, t.tenants, t.heard())
	if err != nil || !first || !t.Unanswered {
		return err
	}
	speaker, language := t.speaker()
	return t.sayOnce(ctx, Stop, speaker, language, wording.OptedOut)
}

// help says who texts and whom to ask, if the provider does not and the tenant has a contact.
func (t *taking) help(ctx context.Context) error {
	speaker, language := t.speaker()
	if !t.Unanswered || speaker == nil || speaker.OptOut.Contact == "" {
		return nil
	}
	return t.sayOnce(ctx, Help, speaker, language, wording.Help)
}

// speaker is the tenant in whose name a keyword is answered, and the language: those of the
// question that was asked last, or the first tenant of those that text from the line. It is nil
// when there is none.
func (t *taking) speaker() (*tenant.Tenant, string) {
	if len(t.asked) > 0 {
		last := t.asked[len(t.asked)-1]
		if asker, ok := t.tenants.Tenant(last.Tenant); ok {
			return asker, last.Language
		}
	}
	if len(t.Sharing) == 0 {
		return nil, ""
	}
	return t.Sharing[0], t.Sharing[0].LanguageFor("", "", t.Phone)
}

// sayOnce answers a keyword, unless that keyword of the phone was answered on the line already.
// Seen, which is kept for two days, remembers it. Else a phone has a text sent by each of its own,
// at the tenant's expense.
func (t *taking) sayOnce(
	ctx context.Context, keyword Word, speaker *tenant.Tenant, language string, s wording.Saying,
) error {
	if speaker == nil {
		return nil
	}
	digest, err := t.tx.Pseudonym(t.Phone).Value()
	if err != nil {
		return err
	}
	n, err := t.tx.AddSeen(ctx, db.AddSeenParams{
		Source: string(keyword), Tenant: speaker.Slug, ID: t.Line.Sender + " " + digest.(string),
		At: t.tx.Moment(),
	})
	if err != nil || n == 0 {
		return err
	}
	_, err = text.Make(ctx, t.tx, text.Draft{
		Tenant: speaker, Case: t.caseID, Line: t.Line, Phone: t.Phone, Purpose: text.Keyword,
		Wording: string(s), Language: speaker.LanguageOf(language),
		Body:     speaker.Say(language, s, wording.Fill{Contact: speaker.OptOut.Contact}),
		Deadline: t.tx.Now().Add(answerLife),
	})
	return err
}
