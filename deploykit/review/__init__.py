"""What a change does to every environment's files, told to reviewers: from frozen data to text, Markdown, JSON and a page."""
