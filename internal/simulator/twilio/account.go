package twilio

import (
	"net/http"
	"strings"
)

// This file plays what an operator's program reads of an account: its state, and where replies to
// its numbers and services are posted.

// showAccount serves the account itself
// (https://www.twilio.com/docs/iam/api/account).
func (t *Account) showAccount(w http.ResponseWriter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	status := "active"
	if t.manners.Suspended {
		status = "suspended"
	}
	Respond(w, http.StatusOK, map[string]any{
		"sid": t.config.AccountSID, "status": status, "type": "Full",
	})
}

// listNumbers serves the numbers of the account that contain ?PhoneNumber=
// (https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource).
func (t *Account) listNumbers(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := []map[string]any{}
	for _, number := range t.config.Numbers {
		if strings.Contains(number, r.FormValue("PhoneNumber")) {
			found = append(found, map[string]any{
				"phone_number": number, "sms_url": t.replyURL, "sms_method": "POST",
				"sms_application_sid": t.manners.Application, "capabilities": map[string]bool{"sms": true},
			})
		}
	}
	Respond(w, http.StatusOK, map[string]any{
		"incoming_phone_numbers": found, "next_page_uri": nil, "page": 0, "page_size": defaultPage,
	})
}

// showService serves a messaging service
// (https://www.twilio.com/docs/messaging/api/service-resource).
func (t *Account) showService(w http.ResponseWriter, sid string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.config.Services[sid]; !known {
		Refuse(w, http.StatusNotFound, 20404)
		return
	}
	Respond(w, http.StatusOK, map[string]any{
		"sid": sid, "inbound_request_url": t.replyURL, "inbound_method": "POST",
		"use_inbound_webhook_on_number": t.manners.WebhookOnNumber,
	})
}
