//go:build integration && day

package day

import (
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// proxy stands for kube-proxy: what connects to the Service's address is led to the pod that became ready last.
type proxy struct {
	ready     atomic.Pointer[string] // address:port of the pod, nil for none
	mu        sync.Mutex
	listeners []net.Listener
}

// listen takes connections at another port of the address too.
func (p *proxy) listen(ip string, port int32) error {
	l, err := net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(int(port))))
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listeners = append(p.listeners, l)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // it is closed
			}
			go p.lead(c)
		}
	}()
	return nil
}

func (p *proxy) lead(from net.Conn) {
	defer from.Close()
	address := p.ready.Load()
	if address == nil {
		return
	}
	to, err := net.DialTimeout("tcp", *address, 5*time.Second)
	if err != nil {
		return
	}
	defer to.Close()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			done <- struct{}{}
		}()
	}
	<-done // whichever ends first ends both
}

func (p *proxy) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.listeners {
		_ = l.Close()
	}
	p.listeners = nil
}
