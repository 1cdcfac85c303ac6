package web_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"smsbridge/inbound/web"
)

const budget = 64 << 20

// Ensure that the holds of many requests never exceed the budget, and give all of it back.
func TestBudget(t *testing.T) {
	var b web.Budget
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for range 200 {
				hold := b.Hold()
				for n := 1 << 20; hold.Take(n) == nil; {
					if held := b.Held(); held > budget+16<<20 { // others may be asking
						t.Errorf("%d bytes are held", held)
					}
				}
				hold.Close()
			}
		})
	}
	wait.Wait()
	require.Zero(t, b.Held())
	hold := b.Hold()
	require.NoError(t, hold.Take(budget))
	require.ErrorIs(t, hold.Take(1), web.ErrBusy)
	hold.Give(1)
	require.NoError(t, hold.Take(1))
	hold.Close()
	require.Zero(t, b.Held())
}

// Ensure that a body is charged as it is read, and that all is given back. A caller whose body does
// not fit is told to come back, whatever the handler said.
func TestBoundBodies(t *testing.T) {
	var b web.Budget
	e := echo.New()
	e.Use(b.Bound)
	var read error
	e.POST("/", func(c echo.Context) error {
		_, read = io.ReadAll(c.Request().Body)
		require.Positive(t, b.Held())
		return c.String(http.StatusBadRequest, "the body ended early")
	})
	e.POST("/own", func(c echo.Context) error {
		hold := web.HoldOf(c.Request())
		before := b.Held()
		_, read = io.Copy(io.Discard, c.Request().Body)
		require.Equal(t, before, b.Held())
		if err := hold.Take(budget + 1); err != nil {
			return c.String(http.StatusTeapot, "busy")
		}
		return nil
	})
	e.POST("/panic", func(c echo.Context) error {
		_, _ = io.ReadAll(c.Request().Body)
		panic("x")
	})
	post := func(path string, size int64) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		body := io.LimitReader(strings.NewReader(strings.Repeat("x", 1<<20)), size)
		r := httptest.NewRequest(http.MethodPost, path, body)
		e.ServeHTTP(w, r)
		return w
	}
	require.Equal(t, 400, post("/", 1000).Code)
	require.NoError(t, read)
	require.Zero(t, b.Held())

	other := b.Hold()
	require.NoError(t, other.Take(budget-3000))
	require.Equal(t, 400, post("/", 1000).Code)
	require.NoError(t, read)
	for path, size := range map[string]int64{"/": 1001, "/own": 1} {
		read = nil
		w := post(path, size)
		require.Equal(t, 503, w.Code, path)
		require.Equal(t, "30", w.Header().Get("Retry-After"))
		require.Equal(t, path == "/", errors.Is(read, web.ErrBusy))
		require.EqualValues(t, budget-3000, b.Held())
	}
	require.Panics(t, func() { post("/panic", 10) })
	require.EqualValues(t, budget-3000, b.Held(), "a panic gives it back, too")
	other.Close()
}

// Ensure that many header fields, each of which costs more than it has bytes, are refused.
func TestManyHeaderFields(t *testing.T) {
	e := echo.New()
	var b web.Budget
	e.Use(b.Bound)
	e.GET("/", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	for n, status := range map[int]int{100: 200, 101: 431} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for i := range n {
			r.Header.Add("X-"+strconv.Itoa(i/2), "x")
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		require.Equal(t, status, w.Code)
	}
}
