package main

import (
	"context"
	"time"

	"github.com/banquet-fs/banquet/config"
	"github.com/banquet-fs/banquet/internal/awsconf"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/postgres"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
)

// openDynamo opens DynamoDB with the settings of the configuration.
func (r *repository) openDynamo(ctx context.Context) (stores.Backend, error) {
	c := &r.config.Online.DynamoDB
	seconds := func(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }
	aws, err := awsconf.Load(ctx, awsconf.Options{
		Region: c.Region, Endpoint: c.Endpoint, ConnectTime: seconds(c.ConnectTime), ReadTime: seconds(c.ReadTime),
	})
	if err != nil {
		return nil, err
	}
	s := dynamo.Open(dynamo.Options{
		AWS: aws, TableTemplate: c.TableTemplate, BatchSize: c.BatchSize, Consistent: c.Consistent, Tags: c.Tags,
		SDK: r.config.Banquet.DynamoDB.Client == "sdk", ReadTime: seconds(c.ReadTime),
	})
	r.host, r.ready = s.Host(), s.Ready
	return s, nil
}

// dynamoHost is the address of DynamoDB.
func (r *repository) dynamoHost() string { return r.host }

// openPostgres makes the offline store in PostgreSQL, which connects when it is first
// used.
func (r *repository) openPostgres() offline.Store {
	s := postgres.New(r.postgresOptions(&r.config.Offline.Postgres))
	r.closers = append(r.closers, s.Close)
	return s
}

// postgresOptions are the settings of a section.
func (r *repository) postgresOptions(c *config.Postgres) pg.Options {
	return pg.Options{
		Host: c.Host, Port: c.Port, Database: c.Database, User: c.User, Password: c.Password.Reveal(), Schema: c.Schema,
		SSLMode: c.EffectiveSSLMode(), SSLKey: r.config.Path(c.SSLKey), SSLCert: r.config.Path(c.SSLCert), SSLRootCert: r.config.Path(c.SSLRootCert),
		MinConn: c.MinConn, MaxConn: c.MaxConn, KeepalivesIdle: time.Duration(c.KeepalivesIdle) * time.Second,
	}
}
