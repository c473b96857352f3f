-- When each schedule that Cases begin by comes next: one row for each schedule of a process that takes work. Older code
-- goes on, and knows none of them: nothing begins by a schedule while only older code runs, and is made up for then.
CREATE TABLE schedules (
    organisation text NOT NULL,
    process text NOT NULL,
    name text NOT NULL,
    cron text NOT NULL,
    time_zone text NOT NULL,
    next_at timestamptz NOT NULL,
    PRIMARY KEY (organisation, process, name)
);
CREATE INDEX schedules_by_time ON schedules (next_at);
