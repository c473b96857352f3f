"""What custom fields hold: the configuration says it, and the rules go by it. It imports nothing of ours."""

from enum import StrEnum


class FieldType(StrEnum):
    """What a custom field holds (BK-14); bulk creation knows neither tables nor relationships (BK-15)."""

    CHECK_BOX = "check_box"
    DATE = "date"
    DATE_TIME = "date_time"
    DECIMAL = "decimal"
    EMAIL = "email"
    HYPERLINK = "hyperlink"
    LIST = "list"
    LONG_TEXT = "long_text"
    MULTI_LEVEL_LIST = "multi_level_list"
    SHORT_TEXT = "short_text"
    WHOLE_NUMBER = "whole_number"
    TABLE = "table"
    ENTITY_RELATIONSHIP = "entity_relationship"
