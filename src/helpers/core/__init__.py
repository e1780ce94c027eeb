"""What every stage rests on."""
