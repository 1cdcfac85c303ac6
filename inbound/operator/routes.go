package operator

import "github.com/labstack/echo/v4"

// routePages adds what only operators get.
func (d *Door) routePages(e *echo.Echo) {
	e.GET("/operator/cases", d.pageOf(d.showCases))
	e.GET("/operator/cases/live", d.followCases)
	e.GET("/operator/cases/:id", d.pageOf(d.showCase))
	e.POST("/operator/cases/:id/phone", d.pageOf(d.revealPhone))
	e.POST("/operator/search", d.pageOf(d.search))
	e.GET("/operator/audit", d.pageOf(d.showAudit))
}
