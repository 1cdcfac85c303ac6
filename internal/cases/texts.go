package cases

import (
	"smsbridge/internal/store/db"
)

// Text is one text as an operator may read of it: never what it said, but which words it had.
type Text struct {
	ID       string `json:"id"`
	Purpose  string `json:"purpose"`
	Wording  string `json:"wording,omitempty"` // the key of its words, "" for those of a caller
	Language string `json:"language,omitempty"`
	Segments int64  `json:"segments"`
	// Price is what the provider says that it cost, in units of Currency. Until then it is what the
	// table of prices says, in USD.
	Price      float64 `json:"price,omitempty"`
	Currency   string  `json:"currency,omitempty"`
	Estimated  bool    `json:"estimated,omitempty"`
	Sender     string  `json:"sender,omitempty"`
	Provider   string  `json:"provider,omitempty"`
	ProviderID string  `json:"provider_id,omitempty"`
	State      string  `json:"state"`
	Reason     string  `json:"reason,omitempty"` // why it did not reach the phone
}

// million is how many parts money is counted in.
const million = 1e6

// tell adds a text: what it was, and what became of it.
func (c *Case) tell(r rows, row db.Text) {
	c.add(r.text(row)...)
	t := Text{
		ID: row.ID, Purpose: string(row.Purpose), Wording: row.Wording, Language: row.Language,
		Segments: row.Segments, Sender: row.Sender, Provider: row.Provider,
		ProviderID: row.ProviderID, State: string(row.State), Reason: explained(row.Error),
	}
	switch {
	case row.Currency != "":
		t.Price, t.Currency = float64(row.Price)/million, row.Currency
	case row.Charged > 0:
		t.Price, t.Currency, t.Estimated = float64(row.Charged)/million, "USD", true
	}
	c.Texts = append(c.Texts, t)
}
