package main

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/banquet-fs/banquet/transform"
	"github.com/banquet-fs/banquet/transform/remote"
)

// service is the client of Feast's transformation service. Requests, training sets and
// writes of a program share it.
type service struct {
	metrics prometheus.Registerer // of a server
	mu      sync.Mutex
	client  *remote.Client
}

// functions is what computes functions that banquet does not compile; nil if the
// configuration names nothing. It connects when it is first used.
func (r *repository) functions() (transform.Service, error) {
	if r.config.TransformationService == "" {
		return nil, nil
	}
	s := r.service
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		c, err := remote.New(remote.Options{
			Address: r.config.TransformationService, AnswerBytes: r.config.Banquet.Limits.StoreBytes, Metrics: s.metrics,
		})
		if err != nil {
			return nil, err
		}
		s.client = c
	}
	return s.client, nil
}

func (s *service) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		_ = s.client.Close() // it has no calls any more
	}
}
