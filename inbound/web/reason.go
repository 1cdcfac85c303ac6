package web

import "github.com/labstack/echo/v4"

// reasonKey is where a request has the reason of its response.
const reasonKey = "reason"

// Reason keeps the reason of a response for those who count. It is one of the bridge's own words.
func (e Edge) Reason(c echo.Context, reason string) {
	if e.Meter != nil {
		c.Set(reasonKey, reason)
	}
}

// ReasonOf is what Reason kept, or "".
func ReasonOf(c echo.Context) string {
	reason, _ := c.Get(reasonKey).(string)
	return reason
}
