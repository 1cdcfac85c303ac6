package operator

import "github.com/labstack/echo/v4"

// routePages adds what only operators get.
func (d *Door) routePages(e *echo.Echo) {
	e.GET("/operator/cases", d.pageOf(d.showCases))
	e.GET("/operator/cases/live", d.followCases)
	e.GET("/operator/cases/:id", d.pageOf(d.showCase))
	e.GET("/operator/cases/:id/live", d.followCase)
	e.POST("/operator/cases/:id/phone", d.pageOf(d.revealPhone))
	e.POST("/operator/search", d.pageOf(d.search))

	const limits, jobs, optOuts = "/operator/limits", "/operator/jobs", "/operator/optouts"
	e.GET(limits, d.pageOf(d.showLimits))
	e.POST(limits+"/hold", d.act(limits, d.hold))
	e.POST(limits+"/release", d.act(limits, d.release))
	e.GET(jobs, d.pageOf(d.showJobs))
	e.POST(jobs+"/:id/retry", d.act(jobs, retryJob))
	e.POST(jobs+"/:id/drop", d.act(jobs, dropJob))
	e.GET(optOuts, d.pageOf(d.showOptOuts))
	e.POST(optOuts+"/add", d.act(optOuts, d.addOptOut))
	e.POST(optOuts+"/:id/remove", d.act(optOuts, removeOptOut))
	e.POST(optOuts+"/import", d.act(optOuts, d.importOptOuts))
	e.POST(optOuts+"/export", d.pageOf(d.exportOptOuts))

	const callbacks = "/operator/callbacks"
	e.GET("/operator/funnel", d.pageOf(d.showFunnel))
	e.GET(callbacks, d.pageOf(d.showCallbacks))
	e.GET(callbacks+"/:id", d.pageOf(d.showCallback))
	e.POST(callbacks+"/:id/replay", d.act(callbacks, replayCallback))
	e.GET("/operator/nodes", d.pageOf(d.showNodes))

	e.GET("/operator/texts", d.pageOf(d.showTexts))
	e.GET("/operator/try/text", d.pageOf(d.showTryText))
	e.POST("/operator/try/text", d.pageOf(d.tryText))
	e.POST("/operator/try/text/send", d.pageOf(d.sendTryText))
	e.GET("/operator/try/rehearse", d.pageOf(d.showRehearse))
	e.POST("/operator/try/rehearse", d.pageOf(d.rehearse))
	e.GET("/operator/try/mail", d.pageOf(d.showTryMail))
	e.POST("/operator/try/mail", d.pageOf(d.tryMail))
	e.GET("/operator/about", d.pageOf(d.showAbout))
	e.GET("/operator/audit", d.pageOf(d.showAudit))
	d.routeRiver(e)
}
