"""The Action's transition table (section 5 of the catalogue). What has no row here is refused (A14).

An Action is never reopened. What its end means for its Case is a step of that (`cases.py`).
"""

from typing import Any

from services.activity.domain.action_steps import (
    AnswerChecklist,
    CloseWithCase,
    CompleteAction,
    GiveUp,
    LaunchAction,
    SendItself,
)
from services.activity.domain.approval_effects import approve, ask, decline
from services.activity.domain.approval_guards import (
    asking_lost,
    asks,
    being_asked,
    can_ask,
    somebody_to_ask,
    what_is_asked,
    why_not,
)
from services.activity.domain.approval_steps import Approve, AskApprovers, Decline, EndApproved
from services.activity.domain.call_effects import call_again, call_out, resolve_as_unreached, take_answer
from services.activity.domain.call_guards import (
    by_a_program,
    calls,
    can_try_again,
    never_reached,
    pauses,
    refused,
    succeeded,
)
from services.activity.domain.call_steps import AnswerCall, CallOut
from services.activity.domain.case_effects import (
    answer_checklist,
    ask_for_review,
    resolve_as_unable,
    say_why,
    tell_not_sent,
    write,
)
from services.activity.domain.case_guards import (
    can_write,
    can_write_and_waits,
    checked,
    not_for_who_did_it,
    not_ones_own,
    own_mail_left,
    own_mail_lost,
    points_of_it,
    reworked,
    to_be_reviewed,
    why,
)
from services.activity.domain.case_steps import WaitForAnswer
from services.activity.domain.common_rows import communicating
from services.activity.domain.effects import (
    append_mail,
    flag_new_information,
    hand_again,
    keep,
    mark_rejected,
    mark_stuck,
    note_to_assignee,
    read_information,
    report_delivery,
    set_due_date,
)
from services.activity.domain.family_effects import (
    carry_departures,
    continue_thread,
    flag_thread,
    point_to_source,
)
from services.activity.domain.family_steps import TakeOver
from services.activity.domain.guards import (
    by_a_person_if_marked,
    due_date_can_be_set,
    due_date_given,
    for_whom_it_is,
    free_to_take,
    had_by_the_actor,
    handed_too_often,
    held_by_nobody_else,
    in_the_future,
    known_category,
    known_wait_reason,
    leaves_asleep,
    opened_with_due_date,
    resumes_to,
    take_over_confirmed,
    taken_by_a_resource,
    worked_on_by_this_robot,
)
from services.activity.domain.holders import nobody, the_actor, the_assigned, the_doer, the_same
from services.activity.domain.opening_effects import open_it
from services.activity.domain.states import WAITING, State
from services.activity.domain.steps import (
    Assign,
    MailArrived,
    MailReported,
    PickUp,
    Resume,
    ResumeTo,
    SetToDo,
    TimerDue,
    WaitUntil,
)
from services.activity.domain.sub_case_effects import tell_ended, tell_none_to_await, tell_not_started
from services.activity.domain.sub_case_guards import cancelled, started, there_are_some
from services.activity.domain.sub_case_steps import AwaitSubCases, StartCase, SubCasesEnded
from services.activity.domain.transitions import Transition
from services.activity.domain.vocabulary import Method, Reason
from services.activity.domain.work_steps import KeepWithMe, RejectWork, SetDueDate, TakeNext

NEW, TO_DO, IN_PROGRESS, CLOSED = State.NEW, State.TO_DO, State.IN_PROGRESS, State.CLOSED
WAIT_MORE_INFO, WAIT_UNTIL = State.WAIT_MORE_INFO, State.WAIT_UNTIL
ACTIVE = (TO_DO, IN_PROGRESS)
OPEN = (*ACTIVE, *WAITING)

# fmt: off
ACTION: tuple[Transition[Any], ...] = (
    # It begins
    Transition("A1", NEW, LaunchAction, to=TO_DO, checks=(opened_with_due_date,), effects=(open_it,),
               person=the_doer),

    # It writes by itself, and is done when that has left or is answered
    Transition("A21", TO_DO, SendItself, to=WAIT_MORE_INFO, when=can_write_and_waits, effects=(write,)),
    Transition("A20", TO_DO, SendItself, to=WAIT_MORE_INFO, when=can_write, effects=(write,)),
    Transition("A20", TO_DO, SendItself, effects=(tell_not_sent, flag_new_information), person=the_same),
    Transition("A20", WAIT_MORE_INFO, MailReported, to=CLOSED, when=own_mail_left,
               effects=(report_delivery, read_information), reason=Reason.COMPLETED, method=Method.COMPLETE),
    Transition("A20", WAIT_MORE_INFO, MailReported, to=TO_DO, when=own_mail_lost,
               effects=(report_delivery, flag_new_information), person=nobody, reason=Reason.FAILED),

    # It starts a Sub-Case by itself, and is done with that; or it waits for some
    Transition("CA-1", TO_DO, StartCase, to=CLOSED, when=started, reason=Reason.COMPLETED,
               method=Method.COMPLETE),
    Transition("CA-1", TO_DO, StartCase, effects=(tell_not_started, flag_new_information), person=the_same),
    Transition("A22", TO_DO, AwaitSubCases, to=WAIT_MORE_INFO, when=there_are_some),
    Transition("A22", TO_DO, AwaitSubCases, effects=(tell_none_to_await, flag_new_information),
               person=the_same),
    Transition("A22", WAITING, SubCasesEnded, to=CLOSED, when=cancelled, effects=(read_information,),
               reason=Reason.SUB_CASE_CANCELLED, method=Method.COMPLETE),
    Transition("A22", WAITING, SubCasesEnded, to=CLOSED, effects=(read_information,),
               reason=Reason.SUB_CASE_COMPLETED, method=Method.COMPLETE),
    Transition("A22", ACTIVE, SubCasesEnded, effects=(tell_ended, flag_new_information), person=the_same),
    # It calls an external system, and is done when that has done its part
    Transition("A23", TO_DO, CallOut, to=WAIT_MORE_INFO, when=calls, effects=(call_out,)),
    Transition("A23", WAIT_MORE_INFO, AnswerCall, to=CLOSED, when=succeeded, checks=(by_a_program,),
               effects=(take_answer, read_information), reason=Reason.COMPLETED, method=Method.COMPLETE),
    Transition("A23", WAIT_MORE_INFO, AnswerCall, to=TO_DO, when=refused, checks=(by_a_program,),
               effects=(take_answer, flag_new_information), person=the_same,
               reason=Reason.UPDATED_BY_INTEGRATION),
    Transition("A23", WAIT_MORE_INFO, AnswerCall, to=WAIT_MORE_INFO, when=can_try_again,
               checks=(by_a_program,), effects=(take_answer,), person=the_same),
    Transition("A23", WAIT_MORE_INFO, AnswerCall, to=CLOSED, when=never_reached, checks=(by_a_program,),
               effects=(take_answer, read_information, resolve_as_unreached),
               reason=Reason.ACTION_UNABLE_TO_COMPLETE),
    Transition("A23", WAIT_MORE_INFO, TimerDue, to=WAIT_MORE_INFO, when=pauses, effects=(call_again,),
               person=the_same),
    Transition("A23", WAIT_MORE_INFO, TimerDue, to=TO_DO, reason=Reason.TIMEOUT),
    Transition("A23", (*ACTIVE, WAIT_UNTIL), WaitForAnswer, to=WAIT_MORE_INFO, when=calls,
               guards=(held_by_nobody_else,), checks=(known_wait_reason,),
               effects=(read_information, call_out)),
    # A mail is not what it waits for.
    Transition("A23", WAIT_MORE_INFO, MailArrived, when=calls, effects=(append_mail, flag_new_information)),
    # It asks for an approval, level by level: while it waits for information, it waits for that alone
    Transition("A25", TO_DO, AskApprovers, to=WAIT_MORE_INFO, when=can_ask, effects=(ask,), person=the_same),
    Transition("A25", WAIT_MORE_INFO, AskApprovers, when=can_ask, effects=(ask,), person=the_same),
    Transition("A25", TO_DO, AskApprovers, effects=(tell_not_sent, flag_new_information), person=the_same),
    Transition("A25", WAIT_MORE_INFO, AskApprovers, to=TO_DO, effects=(tell_not_sent, flag_new_information),
               person=the_same, reason=Reason.FAILED),
    Transition("A25", WAIT_MORE_INFO, Approve, guards=(being_asked,), checks=(what_is_asked,),
               effects=(approve,), person=the_same),
    Transition("A25", WAIT_MORE_INFO, Decline, to=TO_DO, guards=(being_asked,),
               checks=(what_is_asked, why_not), effects=(decline, flag_new_information), person=the_same,
               reason=Reason.NEW_INFORMATION_RECEIVED),
    Transition("A25", WAIT_MORE_INFO, EndApproved, to=CLOSED, effects=(read_information,),
               reason=Reason.COMPLETED, method=Method.COMPLETE),
    Transition("A25", WAIT_MORE_INFO, MailReported, to=TO_DO, when=asking_lost,
               effects=(report_delivery, flag_new_information), person=the_same, reason=Reason.FAILED),
    Transition("A25", ACTIVE, WaitForAnswer, to=WAIT_MORE_INFO, when=asks, guards=(held_by_nobody_else,),
               checks=(known_wait_reason, somebody_to_ask), effects=(read_information, ask)),
    Transition("A25", WAITING, WaitForAnswer, to=WAIT_MORE_INFO, when=asks,
               checks=(known_wait_reason, somebody_to_ask), effects=(read_information, ask)),

    # Somebody has it
    Transition("A2", TO_DO, PickUp, to=IN_PROGRESS, guards=(taken_by_a_resource, not_ones_own),
               person=the_actor),
    Transition("A2", TO_DO, TakeNext, to=IN_PROGRESS,
               guards=(taken_by_a_resource, free_to_take, not_ones_own), person=the_actor),
    Transition("A2", TO_DO, AnswerChecklist, to=IN_PROGRESS, guards=(taken_by_a_resource, not_ones_own),
               checks=(points_of_it,), effects=(answer_checklist,), person=the_actor),
    Transition("A10", (IN_PROGRESS, *WAITING), AnswerChecklist, guards=(held_by_nobody_else,),
               checks=(points_of_it,), effects=(answer_checklist,), person=the_same),
    Transition("A3", IN_PROGRESS, Assign, to=TO_DO, checks=(for_whom_it_is, not_for_who_did_it),
               effects=(note_to_assignee,), person=the_assigned),
    Transition("A3", IN_PROGRESS, SetToDo, to=TO_DO, guards=(held_by_nobody_else,)),
    Transition("A3", IN_PROGRESS, RejectWork, to=TO_DO, guards=(worked_on_by_this_robot,),
               effects=(mark_rejected,), person=nobody),
    Transition("SL-1", OPEN, SetDueDate, guards=(held_by_nobody_else, due_date_can_be_set),
               checks=(due_date_given,), effects=(set_due_date,), person=the_same),
    Transition("ST-20", OPEN, KeepWithMe, guards=(had_by_the_actor,), effects=(keep,), person=the_same),
    Transition("ST-21", TO_DO, Assign, checks=(for_whom_it_is, not_for_who_did_it),
               effects=(note_to_assignee,), person=the_assigned),
    Transition("ST-23", IN_PROGRESS, PickUp, guards=(taken_by_a_resource, not_ones_own),
               checks=(take_over_confirmed,), person=the_actor),
    Transition("ST-24", IN_PROGRESS, TakeNext, to=TO_DO, when=handed_too_often,
               guards=(worked_on_by_this_robot,), effects=(mark_stuck,), person=nobody),
    Transition("ST-24", IN_PROGRESS, TakeNext, guards=(worked_on_by_this_robot,), effects=(hand_again,),
               person=the_same),
    Transition("AMB-18", WAITING, Assign, checks=(for_whom_it_is, not_for_who_did_it),
               effects=(note_to_assignee,), person=the_assigned),

    # It waits
    Transition("A4", ACTIVE, WaitForAnswer, to=WAIT_MORE_INFO, guards=(held_by_nobody_else,),
               checks=(known_wait_reason,), effects=(read_information,)),
    Transition("A5", ACTIVE, WaitUntil, to=WAIT_UNTIL, guards=(held_by_nobody_else,),
               checks=(in_the_future, known_wait_reason, known_category), effects=(read_information,)),
    Transition("A7", WAIT_UNTIL, TimerDue, to=TO_DO, reason=Reason.SCHEDULE_REACHED),
    Transition("A9", WAITING, Resume, to=TO_DO, when=resumes_to(ResumeTo.TO_DO),
               guards=(by_a_person_if_marked,)),
    Transition("A9", WAITING, Resume, to=IN_PROGRESS, when=resumes_to(ResumeTo.IN_PROGRESS),
               guards=(by_a_person_if_marked, not_ones_own), person=the_actor),
    Transition("ST-20", WAITING, WaitForAnswer, to=WAIT_MORE_INFO, checks=(known_wait_reason,),
               effects=(read_information,)),
    Transition("ST-20", WAITING, WaitUntil, to=WAIT_UNTIL,
               checks=(in_the_future, known_wait_reason, known_category), effects=(read_information,)),

    # It ends
    Transition("A24", OPEN, CompleteAction, to=TO_DO, when=to_be_reviewed,
               guards=(held_by_nobody_else, checked), effects=(read_information, ask_for_review),
               person=nobody),
    Transition("A10", OPEN, CompleteAction, to=CLOSED, guards=(held_by_nobody_else, not_ones_own, checked),
               effects=(read_information,), reason=Reason.COMPLETED, method=Method.COMPLETE),
    Transition("A11", OPEN, GiveUp, to=CLOSED, guards=(held_by_nobody_else, not_ones_own), checks=(why,),
               effects=(read_information, say_why, resolve_as_unable),
               reason=Reason.ACTION_UNABLE_TO_COMPLETE),
    Transition("A12", OPEN, CloseWithCase, to=CLOSED, when=reworked, effects=(read_information,),
               reason=Reason.REWORK),
    Transition("A13", OPEN, CloseWithCase, to=CLOSED, effects=(read_information,), reason=Reason.CANCELLED),

    # Others were merged into it (T33); links and files are its Case's.
    Transition("T34", OPEN, TakeOver, person=the_same,
               effects=(point_to_source, continue_thread, carry_departures, flag_thread)),

    # A mail comes in (section 6.3). A14, a mail for what is closed, is matching.py's.
    Transition("AMB-39", WAIT_MORE_INFO, MailArrived, when=leaves_asleep,
               effects=(append_mail, flag_new_information)),
    Transition("A6", WAIT_MORE_INFO, MailArrived, to=TO_DO, effects=(append_mail, flag_new_information),
               reason=Reason.NEW_INFORMATION_RECEIVED),
    Transition("A8", WAIT_UNTIL, MailArrived, effects=(append_mail, flag_new_information)),
    Transition("A15", ACTIVE, MailArrived, effects=(append_mail, flag_new_information)),

    # Whatever its status
    *communicating(OPEN),
)
# fmt: on
