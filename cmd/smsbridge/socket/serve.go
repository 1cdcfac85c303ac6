package socket

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// commandPath is where commands are posted.
	commandPath = "/command"
	// mostRequest bounds the line of a request, in bytes.
	mostRequest = 1 << 20
	// mostAtOnce is how many commands run at a time. Most of them print for as long as they may.
	mostAtOnce = 32
)

// Request is the first line of a body.
type Request struct {
	Version string   `json:"version"` // of the command's program
	Args    []string `json:"args"`    // without the program's name
}

// piece is a line of a response: something that the command writes, or its end.
type piece struct {
	Out    []byte `json:"out,omitempty"`
	Err    []byte `json:"err,omitempty"`
	Status *int   `json:"status,omitempty"`
}

// refusal is the body of a response to a command that does not run.
type refusal struct {
	Version string `json:"version"` // of the bridge
}

// Call is a command that was asked for.
type Call struct {
	Request
	User           string // of the system who asks, "" if that is not known
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Command runs a command for a call, and returns its exit status.
type Command func(ctx context.Context, c Call) (status int)

// Handler runs commands.
type Handler struct {
	Version string
	// Find returns the command that arguments name. It returns nil for one that the bridge does not
	// know, or does not run for others.
	Find func(args []string) Command

	mu      sync.Mutex
	running int
}

// Server serves the commands of h. It has no time limit, since tail runs for days: who asks may
// use the bridge's files anyway. A command that has not ended some time after Shutdown is cut off:
// it may read what a person types.
func Server(h http.Handler, log *slog.Logger, grace time.Duration) *http.Server {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Second,
		MaxHeaderBytes:    4 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, userKey{}, userOf(conn))
		},
	}
	server.RegisterOnShutdown(func() {
		time.AfterFunc(grace, func() { _ = server.Close() })
	})
	return server
}

type userKey struct{}

// ServeHTTP runs the command of one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != commandPath || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	// The response may begin while the body still comes: a command may write before it has read all.
	_ = http.NewResponseController(w).EnableFullDuplex()
	body := bufio.NewReaderSize(r.Body, 4<<10)
	defer finish(w, body)
	if !h.enter() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer h.leave()
	line, err := readLine(body)
	c := Call{Stdin: body}
	if err == nil {
		err = json.Unmarshal(line, &c.Request)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	run := h.Find(c.Args)
	if run == nil {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_ = json.NewEncoder(w).Encode(refusal{h.Version})
		return
	}
	c.User, _ = r.Context().Value(userKey{}).(string)
	pieces := &pieces{response: w}
	if pieces.begin() != nil {
		return
	}
	c.Stdout = writer(func(p []byte) error { return pieces.write(piece{Out: p}) })
	c.Stderr = writer(func(p []byte) error { return pieces.write(piece{Err: p}) })
	status := run(r.Context(), c)
	_ = pieces.write(piece{Status: &status}) // who asked may be gone
}

// finish sends all that was written, and then reads what is left of the body: if it came to a
// closed connection, the one who asked might lose the response.
func finish(w http.ResponseWriter, body io.Reader) {
	if http.NewResponseController(w).Flush() == nil {
		_, _ = io.Copy(io.Discard, body)
	}
}

func (h *Handler) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running == mostAtOnce {
		return false
	}
	h.running++
	return true
}

func (h *Handler) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running--
}

var errTooLong = errors.New("socket: the line is too long")

// readLine reads the first line, and no more than it.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > mostRequest:
			return nil, errTooLong
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		}
	}
}

// pieces are the lines of a response. A command may write from several goroutines.
type pieces struct {
	mu       sync.Mutex
	response http.ResponseWriter
}

// begin tells that the command is known and begins: it may be long until it writes.
func (p *pieces) begin() error {
	p.response.Header().Set("Content-Type", "application/x-ndjson")
	return http.NewResponseController(p.response).Flush()
}

func (p *pieces) write(one piece) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := json.NewEncoder(p.response).Encode(one); err != nil {
		return err
	}
	return http.NewResponseController(p.response).Flush()
}

// writer makes an io.Writer of a function that takes all or fails.
type writer func(p []byte) error

func (w writer) Write(p []byte) (int, error) {
	if err := w(p); err != nil {
		return 0, err
	}
	return len(p), nil
}
