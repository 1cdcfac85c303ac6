package challenge

import (
	"encoding/json"

	"smsbridge/internal/store"
	"smsbridge/internal/store/db"
)

// Try is one click as an operator may read of it. It holds no secret.
type Try struct {
	At      int64   `json:"at"` // when it had ended, in milliseconds since 1970
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"` // the rule by which it was judged
	Steps   []Step  `json:"steps,omitempty"`
}

// Step is one request of a click.
type Step struct {
	Method string `json:"method"`
	Host   string `json:"host"`
	Status int    `json:"status"` // 0 when no response came
}

// mostTries is how many clicks of a question its row tells of: the last ones. A click is tried
// again while the identity provider cannot be reached.
const mostTries = 4

// went is what the row keeps once this click has ended: how it went, behind those before it.
func (c Click) went(view store.View) string {
	if c.Went.Outcome == "" {
		return c.tries // it was given up, and nothing was opened
	}
	c.Went.At = view.Now().UnixMilli()
	tries := append(readTries(c.tries), c.Went)
	kept, err := json.Marshal(tries[max(0, len(tries)-mostTries):])
	if err != nil {
		return c.tries // it only helps an operator, and must not keep a click from its end
	}
	return string(kept)
}

// Tries are the clicks that a row tells of, the first of them first.
func Tries(row db.Challenge) []Try { return readTries(row.Click) }

func readTries(kept string) (tries []Try) {
	if json.Unmarshal([]byte(kept), &tries) != nil {
		return nil
	}
	return tries
}
