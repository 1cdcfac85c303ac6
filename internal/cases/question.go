package cases

import "smsbridge/internal/store/db"

// ofQuestion is the case of an app's question, which has no mail.
func (r rows) ofQuestion(q db.Challenge) Case {
	c := Case{ID: q.ID, Kind: OfQuestion, Tenant: q.Tenant, Began: q.OpenedAt.Time}
	c.add(opened(q))
	c.add(r.question(q)...)
	var last *db.Text
	for i, t := range r.texts {
		if t.ChallengeID == q.ID {
			c.tell(r, t)
			last = later(last, &r.texts[i])
		}
	}
	for _, reply := range r.replies {
		if of, ok := r.questionOf(reply); ok && of.ID == q.ID {
			c.add(r.reply(reply)...)
		}
	}
	if last != nil {
		c.NoText, c.Remedy = unreached(*last)
	}
	return c
}
