-- What a stack has printed is counted for the one who asks, and not kept.
DROP TABLE leak_tests;
