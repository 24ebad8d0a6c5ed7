package load

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/bench/dataset"
	"github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// request is a prepared request with the expected response.
type request struct {
	body []byte
	want []column
	rows int
}

// column is a column of the response: a join key if it has no view.
type column struct {
	name     string
	view     *dataset.View
	feature  int
	keys     []*types.Value
	entities []int
}

// makeRequest draws entities for a case; two of a hundred are unknown.
func makeRequest(c dataset.Case, rpc bool) (request, error) {
	rq := request{rows: c.Rows}
	msg := &serving.GetOnlineFeaturesRequest{Entities: map[string]*types.RepeatedValue{}}
	plain := map[string][]any{}
	drawn := map[string][]int{}
	var refs []string
	for _, v := range c.Views {
		if drawn[v.JoinKey] == nil {
			col := column{name: v.JoinKey, entities: rand.Perm(v.Entities)[:c.Rows]}
			for k := 7; k < c.Rows; k += 50 {
				col.entities[k] += v.Entities
			}
			for _, i := range col.entities {
				col.keys = append(col.keys, v.Key(i))
				plain[v.JoinKey] = append(plain[v.JoinKey], dataset.Plain(v.Key(i)))
			}
			drawn[v.JoinKey] = col.entities
			msg.Entities[v.JoinKey] = &types.RepeatedValue{Val: col.keys}
			rq.want = append(rq.want, col)
		}
		for f, ft := range v.Features {
			refs = append(refs, v.Name+":"+ft.Name)
			rq.want = append(rq.want, column{name: ft.Name, view: v, feature: f, entities: drawn[v.JoinKey]})
		}
	}
	var err error
	if rpc {
		msg.Kind = &serving.GetOnlineFeaturesRequest_Features{Features: &serving.FeatureList{Val: refs}}
		rq.body, err = proto.Marshal(msg)
	} else {
		rq.body, err = json.Marshal(map[string]any{"features": refs, "entities": plain})
	}
	return rq, err
}

// cell is one cell of a response, of either protocol.
type cell struct {
	same   func(*types.Value) bool
	status string
	at     time.Time
}

// response is a decoded response.
type response struct {
	names []string
	rows  func(column int) int
	cell  func(column, row int) cell
}

func decodeProto(b []byte) (response, error) {
	var r serving.GetOnlineFeaturesResponse
	if err := proto.Unmarshal(b, &r); err != nil {
		return response{}, err
	}
	return response{
		names: r.GetMetadata().GetFeatureNames().GetVal(),
		rows: func(j int) int {
			q := r.Results[j]
			return min(len(q.GetValues()), len(q.GetStatuses()), len(q.GetEventTimestamps()))
		},
		cell: func(j, row int) cell {
			q := r.Results[j]
			return cell{
				same:   func(w *types.Value) bool { return proto.Equal(q.GetValues()[row], w) },
				status: q.GetStatuses()[row].String(), at: q.GetEventTimestamps()[row].AsTime(),
			}
		},
	}, nil
}

func decodeJSON(b []byte) (response, error) {
	var r struct {
		Metadata struct {
			FeatureNames []string `json:"feature_names"`
		}
		Results []struct {
			Values          []any
			Statuses        []string
			EventTimestamps []time.Time `json:"event_timestamps"`
		}
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return response{}, err
	}
	return response{
		names: r.Metadata.FeatureNames,
		rows:  func(j int) int { q := r.Results[j]; return min(len(q.Values), len(q.Statuses), len(q.EventTimestamps)) },
		cell: func(j, row int) cell {
			q := r.Results[j]
			return cell{
				same:   func(w *types.Value) bool { return dataset.Same(q.Values[row], w) },
				status: q.Statuses[row], at: q.EventTimestamps[row],
			}
		},
	}, nil
}

// verdict counts the cells of a response. lost are cells that are stored but missing
// in the response, without an error.
type verdict struct{ cells, lost, wrong int }

// check compares a response with the data set, cell by cell.
func (rq *request) check(got response) (v verdict, err error) {
	at := map[string]int{}
	for j, n := range got.names {
		at[n] = j
	}
	for _, c := range rq.want {
		j, ok := at[c.name]
		if !ok || got.rows(j) != rq.rows {
			return v, fmt.Errorf("wrong response: column %s is missing or short", c.name)
		}
		for row := range rq.rows {
			v.cells++
			cell := got.cell(j, row)
			switch {
			case c.right(row, cell):
			case cell.status == "NOT_FOUND":
				v.lost++
			default:
				v.wrong++
			}
		}
	}
	if v.lost+v.wrong > 0 {
		err = fmt.Errorf("wrong response: %d cells lost, %d wrong", v.lost, v.wrong)
	}
	return v, err
}

func (c *column) right(row int, got cell) bool {
	switch i := c.entities[row]; {
	case c.view == nil:
		return got.status == "PRESENT" && got.same(c.keys[row])
	case i >= c.view.Entities:
		return got.status == "NOT_FOUND" && got.same(&types.Value{})
	default:
		return got.status == "PRESENT" && got.same(c.view.Value(c.feature, i)) && got.at.Equal(c.view.EventTime(i))
	}
}
