package inbound

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"slices"
	"sync"
	"time"
)

// readFields reads the body of a request: a JSON object whose members are strings, each of them allowed and there once. A request that may have no
// members may have no body.
func readFields(r *http.Request, allowed []string) (map[string]string, *problem) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxAPIBody))
	if tooBig := new(http.MaxBytesError); errors.As(err, &tooBig) {
		return nil, tooLarge.of(fmt.Sprintf("A body has at most %d bytes.", maxAPIBody))
	}
	if err != nil {
		return nil, badRequest.of("The body ended early.")
	}
	if len(body) == 0 && len(allowed) == 0 {
		return nil, nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, badMediaType.of("Send Content-Type: application/json.")
	}
	return parseFields(body, allowed)
}

// parseFields takes the body apart token by token: encoding/json's own decoding would pass a member that is there twice, or in other capitals.
func parseFields(body []byte, allowed []string) (map[string]string, *problem) {
	in := json.NewDecoder(bytes.NewReader(body))
	if start, err := in.Token(); err != nil || start != json.Delim('{') {
		return nil, badRequest.of("The body is not a JSON object.")
	}
	fields := map[string]string{}
	for in.More() {
		token, err := in.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, badRequest.of("The body is not a JSON object.")
		}
		if !slices.Contains(allowed, name) {
			return nil, badRequest.of("The body has a member that is not known here.")
		}
		if _, twice := fields[name]; twice {
			return nil, badRequest.of("The body has a member twice.")
		}
		value, err := in.Token()
		text, ok := value.(string)
		if err != nil {
			return nil, badRequest.of("The body is not a JSON object.")
		}
		if !ok {
			return nil, badField.on(name, "It must be a string.")
		}
		fields[name] = text
	}
	if _, err := in.Token(); err != nil {
		return nil, badRequest.of("The body is not a JSON object.")
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, badRequest.of("Something follows the JSON object.")
	}
	return fields, nil
}

// quotaWindow is the time over which requests are counted.
const quotaWindow = time.Minute

// quota counts the requests of each API key, on this machine and since its start. The zero value has counted none.
type quota struct {
	mutex   sync.Mutex
	windows map[string]window
}

type window struct {
	from time.Time
	used int
}

// take counts a request, says in its answer how many are left, and refuses one too many.
//
// Source: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10
func (q *quota) take(key string, most int, now time.Time, header http.Header) *problem {
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
	header.Set("RateLimit", fmt.Sprintf(`"key";r=%d;t=%d`, most-w.used, int(math.Ceil(end.Sub(now).Seconds()))))
	if !refused {
		return nil
	}
	p := tooManyRequests.of("RateLimit says how many are left, and when there are more.")
	p.until = end
	return p
}
