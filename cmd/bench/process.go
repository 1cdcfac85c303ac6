package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startTime = 60 * time.Second
	stopTime  = 30 * time.Second
	keptWords = 8 << 10 // bytes of what a child said last
)

// child is a process that the bench started. Only such a process is ever ended.
type child struct {
	command *exec.Cmd
	said    *lastWords
	done    chan struct{} // closed when it has ended
	err     error         // why; valid once done is closed
}

// startChild starts a command. It ends with ctx.
func startChild(ctx context.Context, command *exec.Cmd) (*child, error) {
	c := &child{command: command, said: &lastWords{}, done: make(chan struct{})}
	command.Stderr = c.said
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", command.Path, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = command.Process.Kill() })
	go func() {
		defer close(c.done)
		c.err = command.Wait()
		stop()
	}()
	return c, nil
}

func (c *child) pid() int { return c.command.Process.Pid }

// stop has the child end in order, and kills it if that takes too long.
func (c *child) stop() error {
	_ = c.command.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-c.done:
		if c.err != nil {
			return fmt.Errorf("the server ended with %w; it said last: %s", c.err, c.said)
		}
		return nil
	case <-time.After(stopTime):
		c.kill()
		return errors.New("the server did not stop in time, and was killed")
	}
}

// kill ends the child at once.
func (c *child) kill() {
	_ = c.command.Process.Kill()
	<-c.done
}

var complains = regexp.MustCompile(`"level":"(WARN|ERROR)"`)

// lastWords keeps the end of what a child writes, and its last complaint. They are shown when the
// child fails. A busy server writes a line for each request after the one that says why.
type lastWords struct {
	mu        sync.Mutex
	text      []byte
	complaint []byte
}

// Write never fails.
func (w *lastWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for line := range bytes.Lines(p) {
		if complains.Match(line) {
			w.complaint = bytes.Clone(bytes.TrimSpace(line))
		}
	}
	if w.text = append(w.text, p...); len(w.text) > 2*keptWords {
		w.text = append(w.text[:0], w.text[len(w.text)-keptWords:]...)
	}
	return len(p), nil
}

// String is the last line, and the last complaint if that is another one.
func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := bytes.Split(bytes.TrimSpace(w.text), []byte("\n"))
	last := lines[len(lines)-1]
	if len(w.complaint) > 0 && !bytes.Equal(last, w.complaint) {
		return string(w.complaint) + "\n" + string(last)
	}
	return string(last)
}

// usage is what processes have used up to a moment.
type usage struct {
	cpu     time.Duration
	written int64 // bytes handed to the disk
}

func (u usage) minus(before usage) usage {
	return usage{u.cpu - before.cpu, u.written - before.written}
}

// clockTick is the unit of times in /proc: USER_HZ, which is 100 on every Linux that Go supports.
//
// Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
const clockTick = 10 * time.Millisecond

// usageOf reads what a process has used. Where there is no /proc, all is 0 and the table says "–".
func usageOf(pid int) (u usage) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}
	}
	// The name of the program stands in parentheses and may have any characters. utime is field 14.
	rest := string(stat[bytes.LastIndexByte(stat, ')')+1:])
	if fields := strings.Fields(rest); len(fields) > 12 {
		user, _ := strconv.ParseInt(fields[11], 10, 64)
		system, _ := strconv.ParseInt(fields[12], 10, 64)
		u.cpu = time.Duration(user+system) * clockTick
	}
	u.written = numberIn(fmt.Sprintf("/proc/%d/io", pid), "write_bytes:")
	return u
}

// peakMemory is the most memory that a process has had, and memory what it has now, in bytes.
func peakMemory(pid int) int64 { return numberIn(statusOf(pid), "VmHWM:") << 10 }
func memory(pid int) int64     { return numberIn(statusOf(pid), "VmRSS:") << 10 }

func statusOf(pid int) string { return fmt.Sprintf("/proc/%d/status", pid) }

// numberIn reads the number behind a label at the beginning of a line, 0 when there is none.
func numberIn(path, label string) int64 {
	file, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer file.Close()
	return numberAfter(file, label)
}

func numberAfter(r io.Reader, label string) int64 {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), label); ok {
			if fields := strings.Fields(rest); len(fields) > 0 {
				n, _ := strconv.ParseInt(fields[0], 10, 64)
				return n
			}
		}
	}
	return 0
}

// settle waits until a process does next to nothing, for five seconds at most: what follows an
// operation is its cost, too.
func settle(ctx context.Context, pid int) {
	const look, most = 200 * time.Millisecond, 25
	for range most {
		before := usageOf(pid).cpu
		if !pause(ctx, look) || usageOf(pid).cpu-before <= 2*clockTick {
			return
		}
	}
}

// pause waits, and says false if ctx ends before.
func pause(ctx context.Context, d time.Duration) bool { return pauseUntil(ctx, d, nil) }

// pauseUntil is pause, and ends early when done is closed.
func pauseUntil(ctx context.Context, d time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-done:
		return true
	case <-timer.C:
		return true
	}
}
