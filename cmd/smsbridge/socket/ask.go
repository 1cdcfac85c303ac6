package socket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"syscall"
	"time"
)

// answerTime is how long a bridge may take until it says whether it runs a command.
const answerTime = 30 * time.Second

// What keeps a bridge from running a command.
var (
	// ErrNoBridge: no bridge listens there, or it stops at this moment.
	ErrNoBridge = errors.New("socket: no bridge listens there")
	// ErrForbidden: another user's bridge may listen there.
	ErrForbidden = errors.New("the socket of the bridge belongs to another user")
	// ErrTooMany: the bridge runs as many commands as it may.
	ErrTooMany = errors.New("the bridge runs too many commands at this moment")
	// ErrCut: the bridge ended before the command did.
	ErrCut = errors.New("the bridge ended before the command did")
)

// UnknownError says that the bridge does not know a command.
type UnknownError struct{ Version string } // of the bridge

func (e UnknownError) Error() string {
	return "the running bridge, " + e.Version + ", does not know this command"
}

// Ask has the bridge that listens at a path run a command, and returns its exit status. It copies
// what the command writes as it comes. Stdin may be nil for nothing.
func Ask(ctx context.Context, path string, c Call) (status int, err error) {
	line, err := json.Marshal(c.Request)
	if err != nil {
		return 0, err
	}
	line = append(line, '\n')
	var body io.Reader = bytes.NewReader(line)
	if c.Stdin != nil {
		body = io.MultiReader(body, c.Stdin)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://bridge"+commandPath, body)
	if err != nil {
		return 0, err
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, path) },

		DisableKeepAlives: true, ResponseHeaderTimeout: answerTime,
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, explain(err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return follow(ctx, response.Body, c)
	case http.StatusServiceUnavailable:
		return 0, ErrTooMany
	case http.StatusUnprocessableEntity:
		var r refusal
		if err := json.NewDecoder(io.LimitReader(response.Body, mostRequest)).Decode(&r); err != nil {
			return 0, fmt.Errorf("reading what the bridge responds: %w", err)
		}
		return 0, UnknownError(r)
	}
	return 0, fmt.Errorf("what listens at the socket is no bridge: it responds with %d",
		response.StatusCode)
}

// explain says what it means that a bridge could not be asked.
func explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED),
		errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.ENOTDIR):
		return ErrNoBridge
	case errors.Is(err, fs.ErrPermission):
		return ErrForbidden
	}
	return fmt.Errorf("asking the running bridge: %w", err)
}

// follow copies the pieces of a response until the command has ended.
func follow(ctx context.Context, body io.Reader, c Call) (int, error) {
	for lines := json.NewDecoder(body); ; {
		var p piece
		if err := lines.Decode(&p); err != nil {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			return 0, ErrCut
		}
		if p.Status != nil {
			return *p.Status, nil
		}
		if err := errors.Join(copyTo(c.Stdout, p.Out), copyTo(c.Stderr, p.Err)); err != nil {
			return 0, err
		}
	}
}

func copyTo(w io.Writer, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	_, err := w.Write(p)
	return err
}
