package callback

import (
	"encoding/json"
	"time"
)

// Try is one request to an app as an operator may read of it. It holds no secret: neither the
// address nor the response is in it.
type Try struct {
	At     time.Time `json:"at"` // when it had ended
	Host   string    `json:"host,omitempty"`
	Status int       `json:"status,omitempty"` // of the response, 0 for none
	Reason string    `json:"reason,omitempty"` // why it failed, "" if it did not
}

// mostTries is how many tries of a callback its row tells of: the last ones. A replay adds to those
// before it.
const mostTries = 20

// tried is what the row keeps once a try has ended.
func (c Callback) tried(r Response, now time.Time) string {
	tries := append(c.Tries[:len(c.Tries):len(c.Tries)],
		Try{At: now.UTC(), Host: r.Host, Status: r.Status, Reason: r.Reason})
	return keep(tries[max(0, len(tries)-mostTries):])
}

func keep(tries []Try) string {
	if len(tries) == 0 {
		return ""
	}
	kept, err := json.Marshal(tries)
	if err != nil {
		return "" // it only helps an operator, and must not keep a callback from its end
	}
	return string(kept)
}

func readTries(kept string) (tries []Try) {
	if json.Unmarshal([]byte(kept), &tries) != nil {
		return nil
	}
	return tries
}
