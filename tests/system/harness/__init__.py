# SPDX-License-Identifier: ISC
"""What the system tests share: the programs they start and talk to."""
