-- Search as you type over contacts (docs/decisions/0015): three-letter pieces of folded words in a GIN index of
-- text arrays, which needs no extension and no superuser. Older code need not know: the index follows what
-- it writes.

-- Words without accents, in lower case, each with one blank in front.
CREATE FUNCTION search_text(VARIADIC texts text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ' ' || btrim(regexp_replace(
    lower(regexp_replace(normalize(array_to_string(texts, ' '), NFKD), '[\u0300-\u036f]', '', 'g')
        COLLATE "pg_c_utf8"),
    '[^[:alnum:]]+', ' ', 'g'));

-- The beginnings of words up to three letters, marked with ^, and all pieces of three letters; the organisation
-- stands in front of each, so that none is looked through for another.
CREATE FUNCTION search_pieces(organisation text, folded text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT array_agg(DISTINCT organisation || ' ' || piece)
    FROM (
        SELECT '^' || left(word, size) AS piece
        FROM regexp_split_to_table(btrim(folded), ' +') AS word, generate_series(1, 3) AS size
        WHERE length(word) >= size
        UNION ALL
        SELECT substr(word, place, 3)
        FROM regexp_split_to_table(btrim(folded), ' +') AS word, generate_series(1, length(word) - 2) AS place
    ) AS pieces
);

CREATE INDEX contacts_by_pieces ON contacts
    USING gin (search_pieces(organisation, search_text(first_name, last_name, address)));
