package store

import (
	"slices"
	"sync"
)

// waiters are those in this process who await what is announced, by its id.
type waiters struct {
	mu sync.Mutex
	of map[string][]chan struct{}
}

// Await returns a channel that has a value when a transaction that announced the id is on disk. Of
// transactions before the call, and of other replicas, it hears nothing. So a caller looks once
// after it, and later again. The caller calls stop in the end.
func (s *Store) Await(id string) (announced <-chan struct{}, stop func()) {
	told := make(chan struct{}, 1)
	w := &s.waiters
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == nil {
		w.of = map[string][]chan struct{}{}
	}
	w.of[id] = append(w.of[id], told)
	return told, func() { w.leave(id, told) }
}

func (w *waiters) leave(id string, told chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := slices.DeleteFunc(w.of[id], func(c chan struct{}) bool { return c == told })
	if w.of[id] = left; len(left) == 0 {
		delete(w.of, id)
	}
}

// Announce has those told who await the id, once the transaction is on disk.
func (tx *Tx) Announce(id string) { tx.events.announced = append(tx.events.announced, id) }

// tell tells those who await one of the ids. Whom it has told before, and who has not looked yet,
// needs no second word.
func (w *waiters) tell(ids []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		for _, told := range w.of[id] {
			select {
			case told <- struct{}{}:
			default:
			}
		}
	}
}
