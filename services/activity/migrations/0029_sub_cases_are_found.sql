-- concurrently
-- What is under the Cases of somebody who is erased is found by the Case at the top, too.
CREATE INDEX CONCURRENTLY activities_borne_by_a_case ON activities (organisation, borne_by)
    WHERE borne_by IS NOT NULL;
