package mailgun

import "time"

// Manners are the knobs of an [Account]: what the real one is known to do, or may do since its
// documentation does not say. The zero value is the polite, documented behavior. Change them
// with [Account.Set].
type Manners struct {
	// CommaRecipients joins the recipients of one SMTP transaction that match the same route into
	// one post with a comma-separated recipient, and one stored mail. Otherwise each recipient
	// gets a post of its own.
	CommaRecipients bool

	// FreshTriple signs each repetition of a post anew. Otherwise timestamp, token and signature
	// stay those of the first.
	FreshTriple bool

	// WrongSignature signs posts with a key that is not the signing key.
	WrongSignature bool

	// DuplicatePosts is how often a post whose response was 200 or 406 is sent again, unchanged.
	DuplicatePosts int

	// DropPosts makes this many attempts to post fail before they reach the network; each is in
	// the history, with Error "dropped", and repeated on the schedule. More than the schedule is
	// long loses a mail for good.
	DropPosts int

	// RepeatedBodyHTML posts a body-html field for each text/html part. Otherwise the parts are
	// joined into one.
	RepeatedBodyHTML bool

	// PassControlHeaders posts a header field of the mail that is spelled exactly like a control
	// key ("recipient", "token", "message-url", ...) under that name, so that the key has two
	// values. Otherwise header names are capitalized and can not meet a control key. Real mail
	// with a header spelled "from" or "subject" is doubled too.
	PassControlHeaders bool

	// HeaderCollisions puts every header field of the mail into the JSON of a stored mail, after
	// the control keys. A decoder that ignores case then takes "Recipients" or "Sender" from the
	// mail's author. Otherwise only the usual fields are there, and before the control keys.
	HeaderCollisions bool

	// DeleteStatus is the response to a DELETE of a stored mail: 200 (or 0) deletes it; 404 and
	// 405 keep it.
	DeleteStatus int

	// Retention is how long a stored mail can be retrieved; 0 is forever.
	Retention time.Duration

	// EventLag is how long after it happened an event begins to be listed. It is fixed when the
	// event happens, so changing it between two mails makes the second appear before the first.
	EventLag time.Duration

	// EventsOutOfOrder lists each pair of neighboring events the wrong way round.
	EventsOutOfOrder bool

	// FailNext fails this many API requests (stored mails included) with FailStatus, before
	// looking at the key.
	FailNext   int
	FailStatus int // 401, 429, 503 ...; 0 is 500

	// Slow is the pause before each API response and before each post.
	Slow time.Duration
}
