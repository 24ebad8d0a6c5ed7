package config

import "slices"

// banquetSections are banquet's own.
func banquetSections(b *Banquet) []Section {
	return []Section{
		{Name: "banquet"},
		{Name: "banquet.definitions", Keys: []Key{
			used("python", Program, "false", &b.Definitions.Python, "Python and its Feast read the definitions, as with `--python`. True: `python3`, else `python`, from `PATH`. "+
				"Text: a program, by its name in `PATH` or its path relative to the repository."),
		}},
		{Name: "banquet.dynamodb", Keys: []Key{
			used("client", Text, "direct", &b.DynamoDB.Client, "Client for reads and writes; behind a proxy it is always the SDK.").one("direct", "sdk"),
		}},
		{Name: "banquet.serving", Keys: []Key{
			used("ttl", Text, "", &b.Serving.TTL, "What becomes of an expired row, on all surfaces: `ignore` (PRESENT), `mark` (OUTSIDE_MAX_AGE, with the value), "+
				"`null` (OUTSIDE_MAX_AGE, without the value). By default Feast's HTTP and GrpcFeatureServer ignore the ttl, the others mark.").one("mark", "ignore", "null").shown("by surface"),
			used("default_deadline", Span, "10s", &b.Serving.Deadline, "Deadline of a request that has none; `0s` means no deadline."),
		}},
		{Name: "banquet.http", Keys: []Key{
			used("status", Text, "", &b.HTTP.Status, "The statuses of Feast's server on its routes, 500 for mistakes of the caller.").one("feast"),
		}},
		{Name: "banquet.materialize", Keys: []Key{
			used("runs", Integer, "2", &b.Materialize.Runs, "Materializations that a server runs at once on request; more are refused with 429 and RESOURCE_EXHAUSTED, or wait if they are asynchronous. "+
				"Feast's variable `FEAST_MATERIALIZE_MAX_WORKERS` takes precedence.").positive(),
			used("queue", Integer, "16", &b.Materialize.Queue, "Asynchronous materializations that wait; more are refused with 429."),
		}},
		{Name: "banquet.offline", Keys: []Key{
			used("sql_timeout", Span, "10m", &b.Offline.SQLTimeout, "Longest time for SQL that gives the entity rows of a training set, of a command or a client; it always runs in a transaction that cannot write. "+
				"`0s` means no bound."),
			used("timeout", Span, "2h", &b.Offline.Timeout, "Maximum time of a request of the offline store and, apart from it, of the upload of its table; `0s` means no bound."),
			used("unregistered_sources", Boolean, "false", &b.Offline.Unregistered, "Lets clients ask for the columns of data sources that are not registered, as `feast apply` does with "+
				"`offline_store: {type: remote}` before it registers them. Such a client can name any table that the offline store's user may read."),
		}},
		{Name: "banquet.limits", Keys: slices.Concat(limitKeys(&b.Limits), writeLimitKeys(&b.Limits), offlineLimitKeys(&b.Limits))},
	}
}

func limitKeys(l *Limits) []Key {
	return []Key{
		used("rows", Integer, "100000", &l.Rows, "Maximum entity rows of a request, and rows of a write; ten times as many for a stream. 0 means no limit, here and below."),
		used("features", Integer, "5000", &l.Features, "Maximum features of a request."),
		used("cells", Integer, "5000000", &l.Cells, "Maximum of rows times features of a request, and of rows times columns of a write."),
		used("body_bytes", Integer, "67108864", &l.BodyBytes, "Maximum size of a request's body, over HTTP and gRPC, uncompressed; larger bodies are refused with 413 and RESOURCE_EXHAUSTED. "+
			"All bodies of 1 MB and more that are in memory share a budget of the same size.").unit("bytes"),
		used("store_bytes", Integer, "268435456", &l.StoreBytes, "Maximum size of the online store's responses for one request, and of the values that its on-demand feature views compute; a request that needs more is refused with 413 and RESOURCE_EXHAUSTED.").unit("bytes"),
		used("store_bytes_total", Integer, "1073741824", &l.StoreBytesTotal, "Maximum size of the online store's responses for all requests in flight; a request that needs more is refused with 429, "+
			"unless it is the only one.").unit("bytes"),
		used("concurrency", Integer, "1024", &l.Concurrency, "Maximum requests in flight."),
		used("queue", Integer, "1024", &l.Queue, "Maximum requests that wait for a slot, five seconds at most; more are refused with 429."),
	}
}

func writeLimitKeys(l *Limits) []Key {
	return []Key{
		used("write_concurrency", Integer, "64", &l.WriteConcurrency, "Pushes and writes that run at the same time; they do not count for concurrency and queue. "+
			"rows, cells and body_bytes hold for each of them, and for each message of a stream."),
		used("write_queue", Integer, "1024", &l.WriteQueue, "Pushes and writes that wait for a slot, five seconds at most; more are refused with 429 and RESOURCE_EXHAUSTED."),
	}
}

func offlineLimitKeys(l *Limits) []Key {
	return []Key{
		used("offline_concurrency", Integer, "4", &l.OfflineConcurrency, "Requests of the offline store (training sets, offline writes) that run at the same time. As many tables may arrive at the same time."),
		used("offline_queue", Integer, "16", &l.OfflineQueue, "Requests of the offline store that wait, for at most a minute; more are refused with RESOURCE_EXHAUSTED."),
		used("offline_bytes", Integer, "4294967296", &l.OfflineBytes, "Maximum size of all uploaded tables together; larger ones wait in the directory for temporary files (`TMPDIR`).").unit("bytes"),
	}
}
