"""The forty cases of following a log without losing a line: which test proves which.

| case | what | test |
| --- | --- | --- |
| 1 | three lines in one millisecond | test_merging.py::test_three_lines_in_one_millisecond_are_three_lines |
| 2 | inclusive and exclusive upstreams | test_merging.py::test_inclusive_and_exclusive_upstreams_give_one_journal |
| 3 | twins | test_merging.py::test_twins_in_one_millisecond_are_both_kept |
| 4 | a third twin later | test_merging.py::test_a_third_twin_in_a_later_round_is_one_line_more |
| 5 | tick every second | test_merging.py::test_every_tick_of_a_message_that_repeats_is_a_line |
| 6 | a straggler in a passed millisecond | test_merging.py::test_a_straggler_in_a_passed_millisecond_comes_once |
| 7 | late within the window | test_merging.py::test_an_entry_late_within_the_window_comes_once_and_is_marked |
| 8 | late beyond it | test_merging.py::test_an_entry_later_than_the_window_is_found_by_the_sweep |
| 9 | an unsorted answer | test_merging.py::test_an_unsorted_answer_is_sorted_and_its_greatest_time_is_the_cursor |
| 10 | an entry from next year | test_merging.py::test_an_entry_from_next_year_holds_up_no_other |
| 11 | timestamps that are no wall clock | test_merging.py::test_timestamps_that_are_no_wall_clock_work |
| 12 | a clock 40 s behind | test_merging.py::test_a_worker_whose_clock_is_behind_widens_the_window |
| 13 | odd timestamps | test_merging.py::test_odd_timestamps_are_normalised_or_marked_and_never_dropped |
| 14 | a volatile field | test_merging.py::test_a_field_that_changes_from_answer_to_answer_makes_no_twins |
| 15 | a limit smaller than the overlap | test_limits.py::test_an_oldest_first_limit_below_the_overlap_does_not_stall |
| 16 | a newest-first limit | test_limits.py::test_a_newest_first_limit_that_hid_entries_leaves_a_gap |
| 17 | a limit within a millisecond | test_limits.py::test_a_limit_within_one_millisecond_leaves_a_gap_and_goes_on |
| 18 | pages that overlap | test_limits.py::test_pages_that_overlap_by_a_millisecond_double_nothing |
| 19 | an answer that shrank | test_limits.py::test_an_answer_that_shrank_only_clears_complete |
| 20 | faults | test_faults.py::test_nothing_is_lost_or_doubled_by_a_fault |
| 21 | Retry-After | test_faults.py::test_retry_after_is_obeyed_in_seconds_and_as_a_date |
| 22 | no JSON list | test_faults.py::test_an_answer_that_is_no_list_is_asked_for_again |
| 23 | a failed round while draining | test_end.py::test_a_failed_round_while_draining_is_not_a_quiet_one |
| 24 | lines after the end | test_end.py::test_lines_that_trickle_in_after_the_end_are_delivered |
| 25 | a trickle without end | test_end.py::test_a_trickle_without_end_is_given_up_and_not_called_complete |
| 26 | status down, logs up | test_faults.py::test_lines_flow_while_the_status_is_down |
| 27 | terminal, then running again | test_end.py::test_a_job_that_runs_again_calls_the_drain_off |
| 28 | pending with lines | test_end.py::test_a_pending_job_with_lines_is_shown_and_followed |
| 29 | 0 ERRORS found | test_end.py::test_a_line_that_says_error_ends_nothing |
| 30 | finished without a line | test_end.py::test_a_job_that_finished_without_a_line_ends |
| 31 | a late entry while away | test_viewers.py::test_a_late_entry_while_a_viewer_was_away_reaches_it |
| 32 | back at the very end | test_viewers.py::test_who_comes_back_at_the_very_end_gets_done_once |
| 33 | cut before the first line | test_viewers.py::test_a_cut_before_a_first_match_skips_and_repeats_nothing |
| 34 | restart, deleted journal | test_viewers.py::test_a_restart_keeps_ids_and_a_deleted_journal_resets |
| 35 | wrong cursors | test_viewers.py::test_cursors_past_the_end_or_of_another_epoch_reset_and_garbage_is_refused |
| 36 | trimmed under a viewer | test_viewers.py::test_a_journal_trimmed_under_a_viewer_is_a_gap |
| 37 | a late entry while paging | test_viewers.py::test_pages_hold_while_a_late_entry_comes |
| 38 | a hundred viewers | test_viewers.py::test_a_hundred_viewers_are_one_poller |
| 39 | a viewer that reads nothing | test_viewers.py::test_a_viewer_that_reads_nothing_costs_little_and_loses_nothing |
| 40 | hostile characters | test_viewers.py::test_hostile_characters_stay_one_line_and_one_valid_event |
"""
