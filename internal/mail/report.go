package mail

import (
	"encoding/json"
	"slices"

	"smsbridge/internal/store/db"
)

// Report is what a mail's row keeps of its examination, for the operator. It holds no secret.
type Report struct {
	Provider string `json:"provider,omitempty"` // the identity provider whose mail it is
	Sender   string `json:"sender,omitempty"`   // when a signature proved it
	Links    []Link `json:"links,omitempty"`
	More     int    `json:"more,omitempty"` // how many links are not told
}

// Link is one link of a mail as an operator may read of it.
type Link struct {
	Place  string   `json:"place"` // its host and path; what may be secret is masked
	Chosen bool     `json:"chosen,omitempty"`
	Why    []string `json:"why"` // the rules that judged it
}

// mostLinks is how many links of a mail its row tells of.
const mostLinks = 6

// kept is what the row keeps of a finding, the chosen link first.
func (f Finding) kept() string {
	links := slices.Clone(f.Links)
	slices.SortStableFunc(links, func(a, b Link) int {
		switch {
		case a.Chosen && !b.Chosen:
			return -1
		case b.Chosen && !a.Chosen:
			return 1
		}
		return 0
	})
	report := Report{Provider: f.Provider, Sender: f.Sender, Links: links}
	if report.More = len(links) - mostLinks; report.More > 0 {
		report.Links = links[:mostLinks]
	} else {
		report.More = 0
	}
	if report.Provider == "" && report.Sender == "" && len(links) == 0 {
		return ""
	}
	kept, err := json.Marshal(report)
	if err != nil {
		return "" // it only helps an operator, and must not keep a mail from its end
	}
	return string(kept)
}

// ReportOf is what a row keeps of its mail's examination.
func ReportOf(row db.Mail) (r Report) {
	if json.Unmarshal([]byte(row.Found), &r) != nil {
		return Report{}
	}
	return r
}
