package api

import (
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"smsbridge/inbound/web"
)

// quotaWindow is the time over which requests are counted.
const quotaWindow = time.Minute

// quota counts the requests of each API key, on this machine and since its start. The zero
// value has counted none.
type quota struct {
	mutex   sync.Mutex
	windows map[string]window
}

type window struct {
	from time.Time
	used int
}

// take counts a request, says in the header of its response how many are left, and refuses one too
// many.
//
// Source: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10
func (q *quota) take(key string, most int, now time.Time, header http.Header) *web.Problem {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	w := q.windows[key]
	if age := now.Sub(w.from); age < 0 || age >= quotaWindow {
		w = window{from: now}
	}
	end := w.from.Add(quotaWindow)
	refused := w.used >= most
	if !refused {
		w.used++
	}
	if q.windows == nil {
		q.windows = map[string]window{}
	}
	q.windows[key] = w
	header.Set("RateLimit-Policy", fmt.Sprintf(`"key";q=%d;w=%d`, most, int(quotaWindow.Seconds())))
	header.Set(
		"RateLimit",
		fmt.Sprintf(`"key";r=%d;t=%d`, most-w.used, int(math.Ceil(end.Sub(now).Seconds()))),
	)
	if !refused {
		return nil
	}
	p := tooManyRequests.Of("RateLimit says how many are left, and when there are more.")
	p.Until = end
	return p
}
