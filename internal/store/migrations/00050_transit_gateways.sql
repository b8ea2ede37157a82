-- +goose Up

-- Transit gateways, their attachments and tables are documents of new kinds, and
-- a route to one has a key of its own. A version that knows neither would show
-- the network without them: it must find that the database is newer.
SELECT 1;
