-- Search finds the newest first, so words stand in their index by age (docs/decisions/0027). The age of a row is in its
-- id, whose first 48 bits are milliseconds: an age has 2^30 of them, which is twelve days, and is five digits.
CREATE FUNCTION age_of(id uuid) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN left(id::text, 4) || translate(substr(id::text, 5, 1), '1235679abdef', '000444888ccc');

-- The words of a text, each behind its age: `0650c:printer`. Words hold no space, and 2047 octets at most.
CREATE FUNCTION dated_words(id uuid, text text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    age   text   := left(id::text, 4) || translate(substr(id::text, 5, 1), '1235679abdef', '000444888ccc') || ':';
    words text[] := tsvector_to_array(to_tsvector('simple', text));
BEGIN
    IF octet_length(text) > 2000 THEN
        words := ARRAY (SELECT left(word, 500) FROM unnest(words) AS word);
    END IF;
    RETURN array_to_tsvector(string_to_array(age || array_to_string(words, ' ' || age), ' '));
END
$$;
