package main

import (
	"bytes"
	"context"
	"math"
	"net/http"
	"slices"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/banquet-fs/banquet/bench/fake"
)

// histogram is the metric banquet_request_overhead_seconds: how many requests were
// not slower than each bound.
type histogram struct {
	bounds []float64 // seconds, the last one infinite
	counts []float64
}

// overhead reads the histogram of one protocol from an admin port. It is empty for a
// contender without one.
func overhead(ctx context.Context, admin, protocol string) (h histogram, err error) {
	if admin == "" {
		return h, nil
	}
	text, err := fake.Ask(ctx, http.MethodGet, "http://"+admin+"/metrics", nil)
	if err != nil {
		return h, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return h, err
	}
	method := "/banquet.v1.FeatureService/GetOnlineFeatures" // HTTP is counted under this method
	if protocol == grpcProtocol {
		method = feastMethod
	}
	for _, m := range families["banquet_request_overhead_seconds"].GetMetric() {
		if label(m, "method") == method {
			for _, b := range m.GetHistogram().GetBucket() {
				h.bounds = append(h.bounds, b.GetUpperBound())
				h.counts = append(h.counts, float64(b.GetCumulativeCount()))
			}
		}
	}
	return h, nil
}

func label(m *dto.Metric, name string) string {
	i := slices.IndexFunc(m.GetLabel(), func(l *dto.LabelPair) bool { return l.GetName() == name })
	if i < 0 {
		return ""
	}
	return m.GetLabel()[i].GetValue()
}

// since is the difference from an earlier reading.
func (h histogram) since(old histogram) histogram {
	if len(old.counts) != len(h.counts) {
		return h
	}
	d := histogram{bounds: h.bounds, counts: slices.Clone(h.counts)}
	for i := range d.counts {
		d.counts[i] -= old.counts[i]
	}
	return d
}

// quantile in milliseconds, linear within a bucket; 0 when nothing was counted.
func (h histogram) quantile(q float64) float64 {
	if len(h.counts) == 0 || h.counts[len(h.counts)-1] == 0 {
		return 0
	}
	want := q * h.counts[len(h.counts)-1]
	i := slices.IndexFunc(h.counts, func(n float64) bool { return n >= want })
	low, below := 0.0, 0.0
	if i > 0 {
		low, below = h.bounds[i-1], h.counts[i-1]
	}
	if math.IsInf(h.bounds[i], 1) {
		return low * 1000
	}
	return (low + (h.bounds[i]-low)*(want-below)/(h.counts[i]-below)) * 1000
}
