// Package dns plays a name server that knows TXT and MX records. The demo and the tests of the
// bridge use it to publish the keys of DKIM signatures, and where mails go. It speaks the real
// protocol, over UDP on loopback, and knows no other records.
//
// Its bad manners are a knob of [Manners]: it fails, or says nothing.
//
// Source: RFC 1035, sections 3.3.9, 3.3.14 and 4.1.
package dns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	maxQuery  = 512  // bytes
	maxRecord = 1000 // bytes, so that each response fits into one datagram
	maxString = 255  // bytes of one string of a record
	ttl       = 60   // seconds
)

// Manners are the ways in which the name server misbehaves.
type Manners struct {
	Fail   bool // SERVFAIL
	Refuse bool // REFUSED
	Silent bool // no response
}

// Server is a pretend name server. Safe for use by several goroutines.
type Server struct {
	conn *net.UDPConn
	done chan struct{}

	mu      sync.Mutex
	manners Manners
	records map[string][]string // by name in small letters, without a dot at the end
	mails   map[string][]string // the hosts of MX records, likewise
	asked   []string
}

// Open starts a name server on a free port of 127.0.0.1. The caller must Close it.
func Open() (*Server, error) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("simulator: a port for the name server: %w", err)
	}
	s := &Server{conn: conn, done: make(chan struct{}), records: map[string][]string{},
		mails: map[string][]string{}}
	go s.serve()
	return s, nil
}

// Addr returns the address and port.
func (s *Server) Addr() netip.AddrPort { return s.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Close stops the server, and returns once it has stopped.
func (s *Server) Close() error {
	err := s.conn.Close()
	<-s.done
	return err
}

// SetTXT replaces the TXT records of a name; without records the name does not exist. A record has
// at most 1,000 bytes.
func (s *Server) SetTXT(name string, records ...string) error {
	for _, r := range records {
		if len(r) > maxRecord {
			return errors.New("simulator: the record is too long for one datagram")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[strings.ToLower(name)] = records
	return nil
}

// SetMX replaces the MX records of a name, by their hosts.
func (s *Server) SetMX(name string, hosts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails[strings.ToLower(name)] = hosts
}

// Set changes the manners. The function runs under a lock: it must not call other methods of s.
func (s *Server) Set(change func(*Manners)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.manners)
}

// Asked returns the names that were asked for, oldest first.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

// serve responds to queries until the connection is closed.
func (s *Server) serve() {
	defer close(s.done)
	query := make([]byte, maxQuery)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(query)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an earlier response did not reach its reader
		}
		if response, ok := s.respond(query[:n]); ok {
			_, _ = s.conn.WriteToUDPAddrPort(response, from)
		}
	}
}

// respond returns the response to a query; false says that there is none.
func (s *Server) respond(query []byte) ([]byte, bool) {
	var p dnsmessage.Parser
	header, err := p.Start(query)
	if err != nil || header.Response {
		return nil, false
	}
	q, err := p.Question()
	if err != nil {
		return nil, false
	}
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	s.mu.Lock()
	s.asked = append(s.asked, name)
	records, mails, manners := s.records[name], s.mails[name], s.manners
	s.mu.Unlock()

	message := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: header.ID, Response: true, RecursionDesired: header.RecursionDesired,
			RecursionAvailable: true,
		},
		Questions: []dnsmessage.Question{q},
	}
	switch {
	case manners.Silent:
		return nil, false
	case manners.Fail:
		message.RCode = dnsmessage.RCodeServerFailure
	case manners.Refuse:
		message.RCode = dnsmessage.RCodeRefused
	case q.Type == dnsmessage.TypeMX && q.Class == dnsmessage.ClassINET && len(mails) > 0:
		message.Answers = exchangers(q.Name, mails)
	case len(records) == 0:
		message.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeTXT && q.Class == dnsmessage.ClassINET:
		for _, r := range records {
			message.Answers = append(message.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: ttl},
				Body:   &dnsmessage.TXTResource{TXT: split(r)},
			})
		}
	}
	response, err := message.Pack()
	return response, err == nil
}

// exchangers are the MX records of a name.
func exchangers(name dnsmessage.Name, hosts []string) (answers []dnsmessage.Resource) {
	for _, host := range hosts {
		at, err := dnsmessage.NewName(host + ".")
		if err != nil {
			continue // such a name has no record
		}
		answers = append(answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: ttl},
			Body:   &dnsmessage.MXResource{Pref: 10, MX: at},
		})
	}
	return answers
}

// split cuts a record into the strings that it consists of.
func split(record string) []string {
	var parts []string
	for len(record) > maxString {
		parts = append(parts, record[:maxString])
		record = record[maxString:]
	}
	return append(parts, record)
}
